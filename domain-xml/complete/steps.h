// SPDX-License-Identifier: GPL-2.0-or-later
// The steps of complete_definition() for devices, in the order in which they build on each other.
#pragma once

#include "domain_xml/domain.h"

namespace virttdx::domain_xml {

/// Defaults of single devices, MAC addresses, libvirt's order of disks; what make_devices_virtio() does.
void complete_devices(Devices& devices, std::vector<Finding>& changes);
/// Emulated disks and interfaces become virtio ones, CD-ROM drives move to bus scsi; each appends to
/// `changes`.
void make_devices_virtio(Devices& devices, std::vector<Finding>& changes);
/// Places of disks on SCSI, SATA and IDE, and SCSI controllers for them.
Result<> assign_drive_addresses(Devices& devices);
/// Ports of virtio consoles and channels, and their controllers.
Result<> assign_virtio_serial_ports(Devices& devices);
/// Places of all PCI devices, as libvirt assigns them on q35: each behind a root port of its own.
Result<> assign_pci_addresses(Devices& devices);

/// As libvirt's QEMU driver makes it; a user's stays.
void give_alias(Disk& disk);
/// One that comes to `others`, of which it may be one itself.
void give_alias(Interface& interface, const std::vector<Interface>& others);

/// Position of a disk among those of its prefix: vda 0, vdb 1, vdz 25, vdaa 26. Nothing for other names.
std::optional<std::uint32_t> disk_index(std::string_view target_dev);

/// As libvirt reads a list of them: behind those of its type with smaller indexes, last when it is the first.
void insert_controller(std::vector<Controller>& controllers, Controller controller);
bool has_controller(const std::vector<Controller>& controllers, std::string_view type, std::uint32_t index);

}  // namespace virttdx::domain_xml
