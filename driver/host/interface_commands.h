// SPDX-License-Identifier: GPL-2.0-or-later
// Programs of the host that give an interface's device what its definition asks of the network: tc(8),
// ovs-vsctl(8). The words are those of libvirt's drivers, so that administrators find what they know.
#pragma once

#include <string>
#include <vector>

#include "domain_xml/domain.h"
#include "domain_xml/interface_traffic.h"
#include "process/command_runner.h"

namespace virttdx::driver {

/// Limits what goes through `device`; whatever limits it had before are gone. On a macvtap device
/// (`shares_view`) the host receives what the guest does.
std::vector<HostCommand> shape_traffic(const std::string& device, const domain_xml::Bandwidth& bandwidth,
                                       bool shares_view);

/// What the device of an interface of a domain that has just started, or of one that was plugged, still
/// needs.
std::vector<HostCommand> set_up_interface(const std::string& domain_uuid,
                                          const domain_xml::Interface& interface);
/// What stays behind when the device goes.
std::vector<HostCommand> take_down_interface(const domain_xml::Interface& interface);

}  // namespace virttdx::driver
