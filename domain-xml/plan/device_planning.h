// SPDX-License-Identifier: GPL-2.0-or-later
// The steps of plan_devices(). The domain is complete: every device has its address and, for a run, its
// alias.
#pragma once

#include "plan/planning.h"

namespace virttdx::domain_xml {

/// Root ports, virtio-serial, SCSI.
void plan_controllers(Planning& planning);
void plan_disks(Planning& planning);
void plan_interfaces(Planning& planning);
/// rng, vsock, memballoon.
void plan_small_devices(Planning& planning);
/// Attributes of disks and interfaces that are kept without effect.
void note_ignored_options(Planning& planning);
/// What is kept without effect, and what is refused.
void plan_other_devices(Planning& planning);

/// Calls `visit` with the DeviceInfo of every device that may have an id in a VmConfig.
template <typename Visit>
void for_each_device(const Devices& devices, Visit visit) {
  const auto all = [&](const auto& list) {
    for (const auto& device : list) visit(device);
  };
  all(devices.disks), all(devices.controllers), all(devices.interfaces), all(devices.serials);
  all(devices.consoles), all(devices.channels), all(devices.rngs);
  if (devices.memballoon) visit(*devices.memballoon);
  if (devices.vsock) visit(*devices.vsock);
}

/// SPICE's own channel, which is written by default wherever SPICE graphics is.
inline bool is_spice(const CharacterDevice& channel) { return channel.type == "spicevmc"; }

/// Of a complete device; zeros for one without.
PciAddress pci_address_of(const DeviceInfo& device);

/// `kind` 'type' is refused: "a disk on bus 'sata' is not offered".
void refuse_device(Planning& planning, const DeviceInfo& device, std::string path, std::string message,
                   std::string remedy);

}  // namespace virttdx::domain_xml
