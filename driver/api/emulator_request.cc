// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/emulator_request.h"

namespace virttdx::driver::api {

bool is_absent_or(remote_string text, std::string_view value) { return text == nullptr || *text == value; }

Answer check_emulator(const HostAccess& host, remote_string emulator, remote_string arch,
                      remote_string virt_type) {
  if (!is_absent_or(emulator, host.monitor_binary.native()))
    return fail(Error::Code::InvalidArgument, "emulator '{}' is not this host's, which is '{}'", *emulator,
                host.monitor_binary.native());
  if (!is_absent_or(arch, "x86_64"))
    return fail(Error::Code::InvalidArgument, "architecture '{}' is not x86_64", *arch);
  if (!is_absent_or(virt_type, "kvm"))
    return fail(Error::Code::InvalidArgument, "virt type '{}' is not kvm, the only one that has TDX",
                *virt_type);
  return {};
}

}  // namespace virttdx::driver::api
