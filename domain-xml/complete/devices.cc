// SPDX-License-Identifier: GPL-2.0-or-later
// Defaults of single devices.
#include <algorithm>
#include <array>

#include "complete/steps.h"
#include "domain_xml/interface_traffic.h"

namespace virttdx::domain_xml {
namespace {

struct BusOfPrefix {
  std::string_view prefix, bus;
};
constexpr std::array kBuses = {BusOfPrefix{"hd", "ide"}, BusOfPrefix{"sd", "scsi"},
                               BusOfPrefix{"vd", "virtio"}, BusOfPrefix{"xvd", "xen"},
                               BusOfPrefix{"fd", "fdc"}};

std::string bus_of(std::string_view target_dev) {
  for (const auto& known : kBuses)
    if (target_dev.starts_with(known.prefix)) return std::string(known.bus);
  return "virtio";
}

void complete_disk(Disk& disk) {
  if (!disk.device) disk.device = "disk";
  if (!disk.target_bus) disk.target_bus = bus_of(disk.target_dev);
  if (disk.device == "cdrom") disk.readonly = true;
  if (disk.type == "vhostuser") return;
  if (!disk.driver.name) disk.driver.name = "qemu";
  // As libvirt: a volume's is settled when a run looks it up.
  if (!disk.driver.type && (disk.type != "volume" || disk.device == "cdrom")) disk.driver.type = "raw";
}

// As libvirt inserts: among those of its bus before the first with a later name, else last.
void insert_disk(std::vector<Disk>& disks, Disk disk) {
  auto place = disks.end();
  const auto index = disk_index(disk.target_dev);
  for (auto at = disks.end(); at != disks.begin();) {
    --at;
    if (at->target_bus != disk.target_bus) continue;
    if (disk_index(at->target_dev) <= index) break;
    place = at;
  }
  disks.insert(place, std::move(disk));
}

void complete_interface(Interface& interface) {
  if (!interface.mac) interface.mac = new_mac_address();
  if (!interface.model && interface.type != "hostdev") interface.model = "virtio";
  complete_switch_port(interface);
}

void complete_vsock(Vsock& vsock) {
  if (!vsock.model) vsock.model = "virtio";
  if (!vsock.cid_auto) vsock.cid_auto = !vsock.cid;
}

// PCI bus 0 is the root complex, written or not.
void number_controllers(std::vector<Controller>& controllers) {
  for (auto& controller : controllers)
    for (std::uint32_t index = controller.type == "pci" && controller.model != "pcie-root" ? 1 : 0;
         !controller.index; ++index)
      if (!has_controller(controllers, controller.type, index)) controller.index = index;
}

}  // namespace

void complete_devices(Devices& devices, std::vector<Finding>& changes) {
  for (auto& disk : devices.disks) complete_disk(disk);
  for (auto& interface : devices.interfaces) complete_interface(interface);
  make_devices_virtio(devices, changes);
  std::vector<Disk> disks;
  for (auto& disk : devices.disks) insert_disk(disks, std::move(disk));
  devices.disks = std::move(disks);
  if (devices.vsock) complete_vsock(*devices.vsock);
  number_controllers(devices.controllers);
  for (auto& controller : devices.controllers)
    if (controller.type == "scsi" && !controller.model) controller.model = "virtio-scsi";
}

std::optional<std::uint32_t> disk_index(std::string_view target_dev) {
  constexpr std::uint32_t kLetters = 26, kMaximum = 1U << 20;
  for (const std::string_view prefix : {"xvd", "hd", "sd", "vd", "fd", "ubd"}) {
    if (!target_dev.starts_with(prefix) || target_dev.size() == prefix.size()) continue;
    std::uint32_t index = 0;
    for (const char letter : target_dev.substr(prefix.size())) {
      if (letter < 'a' || letter > 'z' || index > kMaximum) return std::nullopt;
      index = index * kLetters + static_cast<std::uint32_t>(letter - 'a') + 1;
    }
    return index - 1;
  }
  return std::nullopt;
}

void insert_controller(std::vector<Controller>& controllers, Controller controller) {
  auto place = controllers.end();
  for (auto at = controllers.begin(); at != controllers.end(); ++at) {
    if (at->type != controller.type) continue;
    place = at->index > controller.index ? at : at + 1;
    if (at->index > controller.index) break;
  }
  controllers.insert(place, std::move(controller));
}

bool has_controller(const std::vector<Controller>& controllers, std::string_view type, std::uint32_t index) {
  return std::ranges::any_of(controllers, [&](const Controller& controller) {
    return controller.type == type && controller.index == index;
  });
}

}  // namespace virttdx::domain_xml
