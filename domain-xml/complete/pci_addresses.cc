// SPDX-License-Identifier: GPL-2.0-or-later
// PCI addresses on q35 as libvirt's QEMU driver assigns them: devices behind a root port each, root ports
// packed eight a slot on the root complex, one free root port for hot-plug when the definition left all to
// us.
#include <algorithm>
#include <map>
#include <string>

#include "complete/steps.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::uint32_t kFunctions = 8, kBuses = 256;
constexpr std::uint32_t kLpcSlot = 31;
constexpr auto kRootPort = "pcie-root-port";

bool is_pci(const Controller& controller) { return controller.type == "pci"; }

class Assignment {
 public:
  explicit Assignment(Devices& devices) : devices_(devices) {}
  Result<> run();

 private:
  Result<> reserve(const DeviceInfo& device, const std::string& name);
  Result<> reserve_all();
  Result<> ensure_buses();
  Result<> add_root_port(std::uint32_t index);
  Result<> place_root_ports();
  Result<> place_root_port(Controller& controller);
  Result<std::uint32_t> free_bus();
  Result<> place(DeviceInfo& device);
  Result<> place_devices();
  bool slot_is_free(std::uint32_t slot) const;

  Devices& devices_;
  std::map<std::uint32_t, std::string> used_;  // bus, slot and function -> whose
  std::uint32_t highest_bus_ = 0;
  bool has_own_ports_ = false;
  bool added_ports_ = false;
};

std::uint32_t key(const PciDeviceAddress& address) {
  return address.bus << 8 | address.slot << 3 | address.function;
}

const PciDeviceAddress* pci_address(const DeviceInfo& device) {
  return device.address ? std::get_if<PciDeviceAddress>(&*device.address) : nullptr;
}

Result<> Assignment::reserve(const DeviceInfo& device, const std::string& name) {
  const auto* address = pci_address(device);
  if (address == nullptr) return {};
  const auto where = fmt::format("{:04x}:{:02x}:{:02x}.{:x}", address->domain, address->bus, address->slot,
                                 address->function);
  if (address->domain != 0)
    return fail(Error::Code::XmlInvalid, "PCI address {} of {}: there is PCI domain 0 only", where, name);
  if (address->bus == 0 && (address->slot == 0 || address->slot == kLpcSlot) && name != "a sata controller")
    return fail(Error::Code::XmlInvalid, "PCI address {} of {} is the chipset's; use another slot", where,
                name);
  const auto [other, is_new] = used_.emplace(key(*address), name);
  if (!is_new)
    return fail(Error::Code::XmlInvalid, "PCI address {} is used twice: by {} and by {}", where,
                other->second, name);
  highest_bus_ = std::max(highest_bus_, address->bus);
  return {};
}

Result<> Assignment::reserve_all() {
  for (const auto& controller : devices_.controllers)
    TRY(reserve(controller, controller.model == kRootPort ? std::string(kRootPort)
                                                          : "a " + controller.type + " controller"));
  for (const auto& disk : devices_.disks) TRY(reserve(disk, "disk '" + disk.target_dev + "'"));
  for (const auto& interface : devices_.interfaces)
    TRY(reserve(interface, "interface " + interface.mac.value_or("")));
  for (const auto& rng : devices_.rngs) TRY(reserve(rng, "an rng"));
  if (devices_.memballoon) TRY(reserve(*devices_.memballoon, "the memballoon"));
  if (devices_.vsock) TRY(reserve(*devices_.vsock, "the vsock"));
  return {};
}

Result<> Assignment::add_root_port(std::uint32_t index) {
  if (index >= kBuses)
    return fail(Error::Code::ConfigUnsupported, "more PCI devices than {} buses have room for", kBuses);
  Controller port;
  port.type = "pci";
  port.index = index;
  port.model = kRootPort;
  TRY(place_root_port(port));
  insert_controller(devices_.controllers, std::move(port));
  added_ports_ = true;
  highest_bus_ = std::max(highest_bus_, index);
  return {};
}

// Every bus that an address names is behind a root port.
Result<> Assignment::ensure_buses() {
  for (std::uint32_t bus = 1; bus <= highest_bus_; ++bus)
    if (!has_controller(devices_.controllers, "pci", bus)) TRY(add_root_port(bus));
  return {};
}

bool Assignment::slot_is_free(std::uint32_t slot) const {
  const auto first = used_.lower_bound(slot << 3);
  return first == used_.end() || first->first >= (slot + 1) << 3;
}

// Into the slot of the other root ports while it has functions, else into the first free one.
Result<> Assignment::place_root_port(Controller& controller) {
  for (std::uint32_t slot = 1; slot < kLpcSlot; ++slot) {
    const auto first = used_.find(slot << 3);
    const bool of_ports = first != used_.end() && first->second == kRootPort;
    if (!of_ports && !slot_is_free(slot)) continue;
    for (std::uint32_t function = 0; function < kFunctions; ++function) {
      if (!used_.emplace(slot << 3 | function, kRootPort).second) continue;
      PciDeviceAddress address{0, 0, slot, function, {}};
      if (function == 0) address.multifunction = true;
      controller.address = address;
      if (!controller.pci_port) controller.pci_port = slot << 3 | function;
      if (!controller.pci_chassis) controller.pci_chassis = controller.index;
      if (!controller.pci_model_name) controller.pci_model_name = kRootPort;
      return {};
    }
  }
  return fail(Error::Code::ConfigUnsupported, "the PCI root complex has no slot left for a root port");
}

// Those of the definition, in the order of their buses.
Result<> Assignment::place_root_ports() {
  for (auto& controller : devices_.controllers) {
    if (!is_pci(controller) || controller.index == 0U) continue;
    has_own_ports_ = true;
    highest_bus_ = std::max(highest_bus_, *controller.index);
    if (controller.model == kRootPort && !controller.address) TRY(place_root_port(controller));
    if (controller.model != kRootPort) continue;
    if (!controller.pci_chassis) controller.pci_chassis = controller.index;
    if (!controller.pci_model_name) controller.pci_model_name = kRootPort;
    const auto* address = pci_address(controller);
    if (!controller.pci_port && address != nullptr)
      controller.pci_port = (address->slot << 3 | address->function) & 0xFF;
  }
  return {};
}

Result<std::uint32_t> Assignment::free_bus() {
  std::vector<std::uint32_t> buses;
  for (const auto& controller : devices_.controllers)
    if (is_pci(controller) && controller.model == kRootPort) buses.push_back(*controller.index);
  std::ranges::sort(buses);
  for (const auto bus : buses)
    if (const auto first = used_.lower_bound(bus << 8);
        first == used_.end() || first->first >= (bus + 1) << 8)
      return bus;
  TRY(add_root_port(highest_bus_ + 1));
  return highest_bus_;
}

Result<> Assignment::place(DeviceInfo& device) {
  if (device.address) return {};
  const PciDeviceAddress address{0, TRY(free_bus()), 0, 0, {}};
  used_.emplace(key(address), "a device");
  device.address = address;
  return {};
}

// In the order in which libvirt's QEMU driver takes them.
Result<> Assignment::place_devices() {
  for (auto& interface : devices_.interfaces)
    if (interface.type != "hostdev") TRY(place(interface));
  // Root ports are added to the list meanwhile.
  for (std::size_t i = 0; i < devices_.controllers.size(); ++i) {
    const auto type = devices_.controllers[i].type;
    if (type != "virtio-serial" && type != "scsi") continue;
    auto controller = devices_.controllers[i];
    TRY(place(controller));
    devices_.controllers[i].address = controller.address;
  }
  for (auto& disk : devices_.disks)
    if (disk.target_bus == "virtio") TRY(place(disk));
  if (devices_.memballoon && devices_.memballoon->model != "none") TRY(place(*devices_.memballoon));
  for (auto& rng : devices_.rngs) TRY(place(rng));
  if (devices_.vsock) TRY(place(*devices_.vsock));
  return {};
}

bool has_video(const Devices& devices) {
  return std::ranges::any_of(devices.others, [](const OtherElement& other) {
    return other.element == "video" && other.xml.find("type='none'") == std::string::npos;
  });
}

Result<> Assignment::run() {
  if (!has_controller(devices_.controllers, "pci", 0)) {
    Controller root;
    root.type = "pci";
    root.index = 0;
    root.model = "pcie-root";
    insert_controller(devices_.controllers, std::move(root));
  }
  TRY(reserve_all());
  // A primary video device has slot 1 in every Q35 machine of libvirt.
  if (has_video(devices_)) used_.emplace(1U << 3, "the video device");
  TRY(place_root_ports());
  TRY(ensure_buses());
  TRY(place_devices());
  if (added_ports_ && !has_own_ports_) TRY(free_bus());
  return {};
}

}  // namespace

Result<> assign_pci_addresses(Devices& devices) { return Assignment(devices).run(); }

}  // namespace virttdx::domain_xml
