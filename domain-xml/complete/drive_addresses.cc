// SPDX-License-Identifier: GPL-2.0-or-later
// Places of drives and of ports: libvirt's own rules (virDomainDiskDefAssignAddress and its like).
#include <algorithm>
#include <array>
#include <set>

#include "complete/steps.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::uint32_t kMaximumController = 255;

// How many units a bus has, how drives are spread over buses and controllers.
struct DriveBus {
  std::string_view name;
  std::uint32_t units;
  std::uint32_t buses;
};
// Unit 7 of a SCSI bus is the controller itself: 16 units, 15 for drives.
constexpr std::uint32_t kScsiSelf = 7;
constexpr std::array kDriveBuses = {DriveBus{"scsi", 15, 1}, DriveBus{"sata", 6, 1}, DriveBus{"ide", 2, 2},
                                    DriveBus{"fdc", 2, 1}};

DriveAddress address_of(const DriveBus& bus, std::uint32_t index) {
  DriveAddress address;
  address.unit = index % bus.units;
  address.bus = index / bus.units % bus.buses;
  address.controller = index / bus.units / bus.buses;
  if (bus.name == "scsi" && address.unit >= kScsiSelf) ++address.unit;
  return address;
}

bool is_used(const Devices& devices, const Disk& by, const DriveAddress& address) {
  return std::ranges::any_of(devices.disks, [&](const Disk& disk) {
    return &disk != &by && disk.target_bus == by.target_bus && disk.address == DeviceAddress(address);
  });
}

Result<> place_drive(const Devices& devices, const DriveBus& bus, Disk& disk) {
  const auto index = disk_index(disk.target_dev);
  if (!index)
    return fail(
        Error::Code::XmlInvalid,
        "disk '{}': no {} address follows from its target name; name it as sda, or write an <address>",
        disk.target_dev, bus.name);
  for (auto at = *index; at <= *index + bus.units * bus.buses; ++at) {
    const auto address = address_of(bus, at);
    if (address.controller > kMaximumController || is_used(devices, disk, address)) continue;
    disk.address = address;
    return {};
  }
  return fail(Error::Code::XmlInvalid, "disk '{}': no free address on bus '{}'; write an <address>",
              disk.target_dev, bus.name);
}

void add_scsi_controllers(Devices& devices) {
  for (const auto& disk : devices.disks) {
    const auto* address = disk.address ? std::get_if<DriveAddress>(&*disk.address) : nullptr;
    if (disk.target_bus != "scsi" || address == nullptr) continue;
    if (address->controller > kMaximumController ||
        has_controller(devices.controllers, "scsi", address->controller))
      continue;
    Controller controller;
    controller.type = "scsi";
    controller.index = address->controller;
    controller.model = "virtio-scsi";
    insert_controller(devices.controllers, std::move(controller));
  }
}

// A port of virtio-serial: controller and number.
using Port = std::pair<std::uint32_t, std::uint32_t>;

VirtioSerialAddress* port_address(CharacterDevice& device) {
  return device.address ? std::get_if<VirtioSerialAddress>(&*device.address) : nullptr;
}

// virtio-serial's ports: 0 is for a console.
constexpr std::uint32_t kPorts = 31;

Result<> place_port(std::set<Port>& used, CharacterDevice& device, bool console) {
  const auto* written = port_address(device);
  if (written != nullptr && written->port) return {};
  for (std::uint32_t controller = written == nullptr ? 0 : written->controller;
       controller <= kMaximumController; ++controller)
    for (std::uint32_t port = console ? 0 : 1; port < kPorts; ++port)
      if (used.insert({controller, port}).second) {
        device.address = VirtioSerialAddress{controller, 0, port};
        return {};
      }
  return fail(Error::Code::XmlInvalid, "no virtio-serial port is left for '{}'",
              device.target_name.value_or(device.type));
}

Result<> reserve_port(std::set<Port>& used, CharacterDevice& device) {
  const auto* address = port_address(device);
  if (address == nullptr || !address->port) return {};
  if (used.insert({address->controller, *address->port}).second) return {};
  return fail(Error::Code::XmlInvalid, "virtio-serial port {} of controller {} is used twice", *address->port,
              address->controller);
}

void add_virtio_serial_controllers(Devices& devices, const std::set<Port>& used) {
  for (const auto& [index, port] : used) {
    if (index > kMaximumController || has_controller(devices.controllers, "virtio-serial", index)) continue;
    Controller controller;
    controller.type = "virtio-serial";
    controller.index = index;
    insert_controller(devices.controllers, std::move(controller));
  }
}

}  // namespace

Result<> assign_drive_addresses(Devices& devices) {
  for (auto& disk : devices.disks) {
    const auto bus = std::ranges::find(kDriveBuses, disk.target_bus.value_or(""), &DriveBus::name);
    if (bus != kDriveBuses.end() && !disk.address) TRY(place_drive(devices, *bus, disk));
  }
  add_scsi_controllers(devices);
  return {};
}

Result<> assign_virtio_serial_ports(Devices& devices) {
  std::set<Port> used;
  std::vector<CharacterDevice*> consoles, channels;
  for (auto& console : devices.consoles)
    if (console.target_type == "virtio") consoles.push_back(&console);
  for (auto& channel : devices.channels) channels.push_back(&channel);
  for (auto* list : {&consoles, &channels})
    for (auto* device : *list) TRY(reserve_port(used, *device));
  for (auto* console : consoles) TRY(place_port(used, *console, true));
  for (auto* channel : channels) TRY(place_port(used, *channel, false));
  add_virtio_serial_controllers(devices, used);
  return {};
}

}  // namespace virttdx::domain_xml
