// SPDX-License-Identifier: GPL-2.0-or-later
// What belongs to one run: aliases as libvirt's QEMU driver makes them, paths of sockets.
#include <algorithm>

#include "complete/steps.h"
#include "elements/device_info.h"

namespace virttdx::domain_xml {
namespace {

// 0 to 2 have meanings (linux/vm_sockets.h).
constexpr std::uint32_t kFirstGuestCid = 3;

void name(DeviceInfo& device, std::string alias) {
  if (!device.alias || !is_user_alias(*device.alias)) device.alias = std::move(alias);
}

std::string disk_alias(const Disk& disk) {
  const auto bus = disk.target_bus.value_or("virtio");
  if (const auto* drive = disk.address ? std::get_if<DriveAddress>(&*disk.address) : nullptr) {
    if (bus == "scsi")
      return fmt::format("scsi{}-{}-{}-{}", drive->controller, drive->bus, drive->target, drive->unit);
    return fmt::format("{}{}-{}-{}", bus, drive->controller, drive->bus, drive->unit);
  }
  return fmt::format("{}-disk{}", bus, disk_index(disk.target_dev).value_or(0));
}

std::string controller_alias(const Controller& controller) {
  const auto index = controller.index.value_or(0);
  if (controller.type == "pci") return index == 0 ? "pcie.0" : fmt::format("pci.{}", index);
  if (controller.type == "usb" && index == 0) return "usb";
  if (controller.type == "sata" && index == 0) return "ide";
  return fmt::format("{}{}", controller.type, index);
}

template <typename Device>
void number(std::vector<Device>& devices, const char* word) {
  std::uint32_t next = 0;
  for (auto& device : devices) name(device, fmt::format("{}{}", word, next++));
}

// The first console shows the first serial port under its name.
void name_consoles(Devices& devices) {
  number(devices.consoles, "console");
  for (auto& console : devices.consoles)
    if (console.target_type == "serial" && !devices.serials.empty())
      console.alias = devices.serials.front().alias;
}

void give_socket(CharacterDevice& port, const std::string& directory) {
  if (port.type != "unix" || port.target_type != "virtio" || port.source_path) return;
  port.source_mode = "bind";
  port.source_path = directory + "/" + port.target_name.value_or(*port.alias);
}

}  // namespace

void give_alias(Disk& disk) { name(disk, disk_alias(disk)); }

void give_alias(Interface& interface, const std::vector<Interface>& others) {
  std::uint32_t number = 0;
  const auto is_taken = [&](const Interface& other) { return other.alias == fmt::format("net{}", number); };
  while (std::ranges::any_of(others, is_taken)) ++number;
  name(interface, fmt::format("net{}", number));
}

void prepare_run(Domain& domain, const std::string& channel_directory) {
  auto& devices = domain.devices;
  for (auto& disk : devices.disks) give_alias(disk);
  for (auto& controller : devices.controllers) name(controller, controller_alias(controller));
  number(devices.interfaces, "net");
  number(devices.serials, "serial");
  name_consoles(devices);
  number(devices.channels, "channel");
  number(devices.rngs, "rng");
  if (devices.memballoon && devices.memballoon->model != "none") name(*devices.memballoon, "balloon0");
  if (devices.vsock) {
    name(*devices.vsock, "vsock0");
    // Each TD has a host side of its own: the same context id everywhere.
    if (devices.vsock->cid_auto == true) devices.vsock->cid = kFirstGuestCid;
  }
  for (auto* ports : {&devices.channels, &devices.consoles})
    for (auto& port : *ports) give_socket(port, channel_directory);
}

}  // namespace virttdx::domain_xml
