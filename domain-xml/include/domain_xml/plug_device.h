// SPDX-License-Identifier: GPL-2.0-or-later
// Disks and interfaces of a TD that runs: given to it, taken from it.
#pragma once

#include <string>
#include <string_view>

#include "domain_xml/device_change.h"
#include "domain_xml/plan.h"

namespace virttdx::domain_xml {

/// What a live definition becomes with one more device.
struct PluggedDevice {
  Domain live;
  std::string alias;  ///< of the device
};
/// `device` is a disk on bus virtio or an interface; it gets a free slot and an alias. Errors, beside those
/// of attach_device(): Unsupported (another device), Internal in libvirt's words (no free slot).
Result<PluggedDevice> plug_device(Domain live, DeviceElement device, const DefinitionDefaults& defaults);

/// What the monitor is told of it. `resources`: its volume and secrets, where it has some. Errors: those of a
/// plan.
Result<DiskConfig> plan_plugged_disk(const Domain& live, std::string_view alias, const HostCapabilities& host,
                                     const RunResources& resources);
/// `resources`: of its network, where it has one.
Result<NetworkInterfaceConfig> plan_plugged_interface(const Domain& live, std::string_view alias,
                                                      const HostCapabilities& host,
                                                      const RunResources& resources);

/// Alias of the device of a running domain that is meant: a disk by target, an interface by MAC address, any
/// by its alias. NotFound: there is none; Unsupported: another device, or one that cannot leave.
Result<std::string> plugged_alias(const Domain& live, const DeviceElement& device);
Result<std::string> plugged_alias(const Domain& live, std::string_view alias);

}  // namespace virttdx::domain_xml
