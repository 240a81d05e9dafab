// SPDX-License-Identifier: GPL-2.0-or-later
// Tools that do not know this driver ask for the devices that any guest can use (virt-manager and
// virt-install on a URI other than qemu: SATA disks, e1000e interfaces). A TD's are virtio: it drives nothing
// else through shared memory.
#include <algorithm>
#include <array>

#include "complete/steps.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array<std::string_view, 3> kEmulatedBuses = {"ide", "sata", "usb"};
// Models of libvirt's that QEMU emulates (virDomainNetModelType of domain_conf.c, and names it passes on).
constexpr std::array<std::string_view, 12> kEmulatedModels = {
    "e1000",    "e1000-82544gc", "e1000-82545em", "e1000e", "i82551",  "i82557b",
    "i82559er", "igb",           "ne2k_pci",      "pcnet",  "rtl8139", "vmxnet3"};

void report(std::vector<Finding>& changes, Severity severity, const DeviceInfo& device, std::string path,
            std::string message, std::string remedy) {
  changes.push_back({severity,
                     "device-made-virtio",
                     std::move(path),
                     device.line.number,
                     {},
                     std::move(message),
                     std::move(remedy)});
}

// The guest's name of a CD-ROM drive stays what it was: no warning. An address was the old bus's.
void move_cdrom_drive(Disk& disk, std::vector<Finding>& changes) {
  report(
      changes, Severity::Note, disk, "/domain/devices/disk",
      fmt::format("CD-ROM drive '{}' is on bus 'scsi' instead of '{}': a TD has CD-ROM drives on virtio-scsi",
                  disk.target_dev, *disk.target_bus),
      "write <target bus='scsi'/>");
  disk.target_bus = "scsi";
  disk.address.reset();
}

void make_virtio(Disk& disk, std::vector<Finding>& changes) {
  if (std::ranges::find(kEmulatedBuses, disk.target_bus.value_or("")) == kEmulatedBuses.end()) return;
  if (disk.device == "cdrom") return move_cdrom_drive(disk, changes);
  if (disk.device != "disk" && disk.device != "lun") return;
  report(changes, Severity::Warning, disk, "/domain/devices/disk",
         fmt::format("disk '{}' is on bus 'virtio' instead of '{}': a TD has virtio disks", disk.target_dev,
                     *disk.target_bus),
         "write <target bus='virtio'/>");
  disk.target_bus = "virtio";
  disk.address.reset();
  disk.rotation_rate.reset();
  disk.removable.reset();
}

void make_virtio(Interface& interface, std::vector<Finding>& changes) {
  if (std::ranges::find(kEmulatedModels, interface.model.value_or("")) == kEmulatedModels.end()) return;
  report(changes, Severity::Warning, interface, "/domain/devices/interface",
         fmt::format("interface {} is of model 'virtio' instead of '{}': a TD has virtio interfaces",
                     interface.mac.value_or(""), *interface.model),
         "write <model type='virtio'/>");
  interface.model = "virtio";
}

}  // namespace

void make_devices_virtio(Devices& devices, std::vector<Finding>& changes) {
  for (auto& disk : devices.disks) make_virtio(disk, changes);
  for (auto& interface : devices.interfaces) make_virtio(interface, changes);
}

}  // namespace virttdx::domain_xml
