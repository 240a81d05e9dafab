// SPDX-License-Identifier: GPL-2.0-or-later
// What an interface's definition asks of the host's network besides a device: limits of its rates, a port of
// an Open vSwitch bridge (https://libvirt.org/formatdomain.html, "Quality of service", "Setting VLAN tag").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain_xml/devices.h"

namespace virttdx::domain_xml {

/// Of one direction; 0: not said. Rates are kilobytes a second, a burst is kilobytes.
struct BandwidthRate {
  std::uint64_t average = 0, peak = 0, burst = 0, floor = 0;
  bool operator==(const BandwidthRate&) const = default;
};
/// As the guest sees it: inbound is what it receives.
struct Bandwidth {
  std::optional<BandwidthRate> inbound, outbound;
  bool operator==(const Bandwidth&) const = default;
};

/// Of `<bandwidth>`; without one, nothing of either direction.
Bandwidth bandwidth_of(const Interface& interface);
/// The element, empty for nothing of either direction.
std::string format_bandwidth(const Bandwidth& bandwidth);
/// Makes `<bandwidth>` say this; nothing of either direction takes the element away.
void set_bandwidth(Interface& interface, const Bandwidth& bandwidth);

/// `<virtualport type='openvswitch'>` and `<vlan>`.
struct SwitchPort {
  std::string interface_id, profile_id;  ///< a profile may be empty
  std::vector<std::uint64_t> vlans;
  bool is_trunk = false;
  std::string native_mode;  ///< "tagged", "untagged" or empty
  std::uint64_t native_vlan = 0;
  bool operator==(const SwitchPort&) const = default;
};

/// Nothing: it is no port of Open vSwitch.
std::optional<SwitchPort> switch_port_of(const Interface& interface);

/// As libvirt's drivers do with a definition: a port of Open vSwitch has an id, a new one if the definition
/// has none.
void complete_switch_port(Interface& interface);

}  // namespace virttdx::domain_xml
