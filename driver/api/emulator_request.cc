// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/emulator_request.h"

#include "domain_xml/machine_name.h"

namespace virttdx::driver::api {

bool is_absent_or(remote_string text, std::string_view value) { return text == nullptr || *text == value; }

Answer check_emulator(const HostAccess& host, const EmulatorRequest& request) {
  const auto& monitor = host.monitor_binary.native();
  if (!is_absent_or(request.emulator, monitor))
    return fail(Error::Code::InvalidArgument, "emulator '{}' is not this host's, which is '{}'",
                *request.emulator, monitor);
  if (!is_absent_or(request.arch, "x86_64"))
    return fail(Error::Code::InvalidArgument, "architecture '{}' is not x86_64", *request.arch);
  if (!is_absent_or(request.virt_type, "kvm"))
    return fail(Error::Code::InvalidArgument, "virt type '{}' is not kvm, the only one that has TDX",
                *request.virt_type);
  if (request.machine != nullptr && !domain_xml::canonical_machine(*request.machine))
    return fail(Error::Code::InvalidArgument,
                "the machine '{}' is not supported by emulator '{}': a TD needs a Q35 machine; use q35",
                *request.machine, monitor);
  return {};
}

}  // namespace virttdx::driver::api
