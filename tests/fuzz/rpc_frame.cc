// SPDX-License-Identifier: GPL-2.0-or-later
// What a client sends: frames, then each payload as the arguments of the larger procedures.
#include <cstddef>
#include <cstdint>

#include "rpc/frame.h"
#include "rpc/xdr_codec.h"

namespace {

template <typename... Args>
void decode_as_each(const std::string& payload) {
  using virttdx::driver::Decoded;
  (static_cast<void>(Decoded<Args>().decode(payload)), ...);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  virttdx::driver::FrameReader reader;
  // SAFETY: bytes as characters.
  reader.append({reinterpret_cast<const char*>(data), size});
  while (true) {
    const auto frame = reader.next();
    if (!frame || !*frame) return 0;
    decode_as_each<remote_connect_open_args, remote_connect_get_domain_capabilities_args,
                   remote_domain_create_xml_args, remote_domain_define_xml_flags_args,
                   remote_connect_get_all_domain_stats_args, remote_domain_open_console_args,
                   remote_connect_domain_event_callback_register_any_args, virNetMessageError>(
        (*frame)->payload);
  }
}
