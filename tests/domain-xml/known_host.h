// SPDX-License-Identifier: GPL-2.0-or-later
// The firmware that Debian's package ovmf installs, and a recorded host: a Sapphire Rapids with upstream KVM.
#pragma once

#include "domain_xml/plan.h"
#include "golden.h"

namespace virttdx::domain_xml::test {

constexpr auto kDebianFirmware = "/usr/share/ovmf/OVMF.fd";

inline HostCapabilities kvm_host() {
  return host_capabilities_from_json(read_data("plan/kvm.host.json")).value();
}

}  // namespace virttdx::domain_xml::test
