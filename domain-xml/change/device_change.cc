// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/device_change.h"

#include <algorithm>
#include <array>

#include "change/find_interface.h"
#include "elements/elements.h"
#include "xml/reader.h"

namespace virttdx::domain_xml {
namespace {

constexpr auto kNotPresent = "device not present in domain configuration";

// Kept as XML, and such that libvirt's QEMU driver can add one to a definition too.
constexpr std::array<std::string_view, 8> kOthersAttached = {"filesystem", "hostdev", "input", "memory",
                                                             "redirdev",   "shmem",   "tpm",   "watchdog"};

tl::unexpected<Error> not_supported(std::string_view change, std::string_view device) {
  return fail(Error::Code::Unsupported, "persistent {} of device '{}' is not supported", change, device);
}

auto find_disk(std::vector<Disk>& disks, const Disk& disk) {
  return std::ranges::find(disks, disk.target_dev, &Disk::target_dev);
}

bool is_meant(const CharacterDevice& candidate, const CharacterDevice& meant) {
  return candidate.type == meant.type && (!meant.target_port || candidate.target_port == meant.target_port) &&
         (!meant.target_name || candidate.target_name == meant.target_name) &&
         (!meant.address || candidate.address == meant.address);
}

template <typename Device, typename Predicate>
Result<> remove_first(std::vector<Device>& devices, Predicate is_one, std::string_view absent = kNotPresent) {
  const auto found = std::ranges::find_if(devices, is_one);
  if (found == devices.end()) return fail(Error::Code::NotFound, "{}", absent);
  devices.erase(found);
  return {};
}

Result<> remove_character_device(std::vector<CharacterDevice>& devices, const CharacterDevice& meant) {
  return remove_first(devices, [&](const CharacterDevice& candidate) { return is_meant(candidate, meant); });
}

bool is_pair(const Devices& devices) {
  return !devices.serials.empty() && !devices.consoles.empty() &&
         devices.consoles.front().target_type != "virtio";
}

// The first serial port and the first console are one device under two names.
Result<> remove_console(Devices& devices, const CharacterDevice& meant, bool serial) {
  auto& list = serial ? devices.serials : devices.consoles;
  if (!is_pair(devices) || !is_meant(list.front(), meant)) return remove_character_device(list, meant);
  devices.serials.erase(devices.serials.begin());
  devices.consoles.erase(devices.consoles.begin());
  return {};
}

Result<> attach_controller(Devices& devices, Controller controller) {
  for (const auto& other : devices.controllers)
    if (controller.index && other.type == controller.type && other.index == controller.index)
      return fail(Error::Code::WrongState, "controller index='{}' already exists", *controller.index);
  devices.controllers.push_back(std::move(controller));
  return {};
}

Result<> attach_disk(Devices& devices, Disk disk) {
  if (find_disk(devices.disks, disk) != devices.disks.end())
    return fail(Error::Code::WrongState, "target {} already exists", disk.target_dev);
  devices.disks.push_back(std::move(disk));
  return {};
}

Result<> attach_character_device(std::vector<CharacterDevice>& devices, CharacterDevice device) {
  const bool same_target = std::ranges::any_of(devices, [&](const CharacterDevice& other) {
    return (device.target_name && other.target_name == device.target_name) ||
           (device.target_port && other.target_port == device.target_port);
  });
  if (same_target) return fail(Error::Code::WrongState, "chardev already exists");
  devices.push_back(std::move(device));
  return {};
}

Result<> attach_other(Devices& devices, OtherElement other) {
  if (std::ranges::find(kOthersAttached, other.element) == kOthersAttached.end())
    return not_supported("attach", other.element);
  devices.others.push_back(std::move(other));
  return {};
}

template <typename Device>
bool remove_alias(std::vector<Device>& devices, std::string_view alias) {
  return std::erase_if(devices, [&](const Device& device) { return device.alias == alias; }) != 0;
}

Result<> detach_interface(Devices& devices, const Interface& interface) {
  const std::size_t found = TRY(find_interface(devices.interfaces, interface));
  devices.interfaces.erase(devices.interfaces.begin() + static_cast<std::ptrdiff_t>(found));
  return {};
}

Result<> detach_vsock(Devices& devices, const Vsock& vsock) {
  if (!devices.vsock || (vsock.cid && devices.vsock->cid != vsock.cid))
    return fail(Error::Code::NotFound, "matching vsock device not found");
  devices.vsock.reset();
  return {};
}

}  // namespace

Result<DeviceElement> parse_device(std::string_view xml) {
  xml::Element parent;
  parent.name = "devices";
  auto root = TRY(xml::read_document(xml));
  if (root.name == "emulator" || root.name == "devices")
    return fail_at(root, Error::Code::XmlInvalid, "unknown device type '{}'", root.name);
  DeviceElement device;
  device.name = root.name;
  parent.line = root.line;
  parent.children.push_back(std::move(root));
  device.devices = TRY(read_devices({parent, "/domain/devices"}));
  return device;
}

void give_mac_address(DeviceElement& device) {
  for (auto& interface : device.devices.interfaces)
    if (!interface.mac) interface.mac = new_mac_address();
}

// Here and below: whichever list is not empty has the one device.
Result<> attach_device(Domain& domain, DeviceElement device) {
  auto& to = domain.devices;
  auto& from = device.devices;
  for (auto& disk : from.disks) return attach_disk(to, std::move(disk));
  for (auto& controller : from.controllers) return attach_controller(to, std::move(controller));
  for (auto& serial : from.serials) return attach_character_device(to.serials, std::move(serial));
  for (auto& console : from.consoles) return attach_character_device(to.consoles, std::move(console));
  for (auto& channel : from.channels) return attach_character_device(to.channels, std::move(channel));
  for (auto& other : from.others) return attach_other(to, std::move(other));
  if (from.memballoon) return not_supported("attach", device.name);
  if (from.vsock && to.vsock) return fail(Error::Code::WrongState, "domain already has a vsock device");
  if (from.vsock) to.vsock = std::move(from.vsock);
  std::ranges::move(from.interfaces, std::back_inserter(to.interfaces));
  std::ranges::move(from.rngs, std::back_inserter(to.rngs));
  return {};
}

Result<> detach_device(Domain& domain, const DeviceElement& device) {
  auto& devices = domain.devices;
  const auto& from = device.devices;
  for (const auto& disk : from.disks)
    return remove_first(
        devices.disks, [&](const Disk& other) { return other.target_dev == disk.target_dev; },
        fmt::format("no target device {}", disk.target_dev));
  for (const auto& interface : from.interfaces) return detach_interface(devices, interface);
  for (const auto& controller : from.controllers)
    return remove_first(devices.controllers, [&](const Controller& other) {
      return other.type == controller.type && other.index == controller.index;
    });
  for (const auto& serial : from.serials) return remove_console(devices, serial, true);
  for (const auto& console : from.consoles) return remove_console(devices, console, false);
  for (const auto& channel : from.channels) return remove_character_device(devices.channels, channel);
  for (const auto& rng : from.rngs)
    return remove_first(
        devices.rngs,
        [&](const Rng& other) {
          return other.backend_model == rng.backend_model && other.backend_source == rng.backend_source &&
                 (!rng.address || other.address == rng.address);
        },
        "no matching RNG device was found");
  for (const auto& other : from.others)
    return remove_first(devices.others, [&](const OtherElement& candidate) { return candidate == other; });
  if (from.vsock) return detach_vsock(devices, *from.vsock);
  return not_supported("detach", device.name);
}

Result<> detach_device(Domain& domain, std::string_view alias) {
  auto& devices = domain.devices;
  if (remove_alias(devices.disks, alias) || remove_alias(devices.interfaces, alias) ||
      remove_alias(devices.controllers, alias) || remove_alias(devices.serials, alias) ||
      remove_alias(devices.consoles, alias) || remove_alias(devices.channels, alias) ||
      remove_alias(devices.rngs, alias))
    return {};
  return fail(Error::Code::NotFound, "no device found with alias {}", alias);
}

Result<> update_device(Domain& domain, DeviceElement device) {
  auto& devices = domain.devices;
  for (auto& disk : device.devices.disks) {
    const auto found = find_disk(devices.disks, disk);
    if (found == devices.disks.end())
      return fail(Error::Code::InvalidArgument, "target {} doesn't exist.", disk.target_dev);
    // A place that is not said anew stays.
    if (!disk.address) disk.address = found->address;
    *found = std::move(disk);
    return {};
  }
  for (auto& interface : device.devices.interfaces) {
    auto& found = devices.interfaces[TRY(find_interface(devices.interfaces, interface))];
    if (!interface.address) interface.address = found.address;
    found = std::move(interface);
    return {};
  }
  return not_supported("update", device.name);
}

}  // namespace virttdx::domain_xml
