// SPDX-License-Identifier: GPL-2.0-or-later
// What of a domain's devices exists only while it runs, in its live definition.
#pragma once

#include <string>
#include <vector>

#include "domain_xml/domain.h"
#include "vmm_backend/device_statistics.h"
#include "vmm_backend/monitor_messages.h"

namespace virttdx::driver {

/// Pseudo-terminals of serial ports and consoles; channels as describe_channels(); the context id of a vsock;
/// sources of disks get their index.
void describe_live_devices(domain_xml::Domain& domain, const MonitorStatus& status);

/// The channel of QEMU's guest agent, which libvirt asks.
inline constexpr auto kAgentChannel = "org.qemu.guest_agent.0";

/// Whether the guest has its virtio channels open.
void describe_channels(domain_xml::Domain& domain, const MonitorStatus& status);

/// Whether the tray of a CD-ROM drive is open.
void describe_tray(domain_xml::Domain& domain, const std::string& alias, bool is_open);
/// The same of all.
void describe_trays(domain_xml::Domain& domain, const MonitorStatus& status);

/// Links that cannot go up any more are down.
void describe_lost_links(domain_xml::Domain& domain, const MonitorStatus& status);

/// The host's devices that interfaces have got.
void describe_live_interfaces(domain_xml::Domain& domain, const DeviceStatistics& statistics);

/// Aliases of the disks and interfaces that a running TD could lose and has not (any more).
std::vector<std::string> absent_devices(const domain_xml::Domain& domain, const DeviceStatistics& statistics);

}  // namespace virttdx::driver
