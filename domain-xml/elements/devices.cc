// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "elements/elements.h"
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array kTable = {property<&Devices::emulator, AbsolutePath>("emulator")};
constexpr std::array kChildren = {
    ChildRule{"disk", true},   ChildRule{"controller", true}, ChildRule{"interface", true},
    ChildRule{"serial", true}, ChildRule{"console", true},    ChildRule{"channel", true},
    ChildRule{"memballoon"},   ChildRule{"rng", true},        ChildRule{"vsock"},
};

struct DeviceReader {
  std::string_view name;
  Result<> (*read)(Devices&, const Place&);
};
template <auto kList, auto kRead>
Result<> add(Devices& devices, const Place& place) {
  (devices.*kList).push_back(TRY(kRead(place)));
  return {};
}
template <auto kMember, auto kRead>
Result<> set(Devices& devices, const Place& place) {
  devices.*kMember = TRY(kRead(place));
  return {};
}
constexpr std::array kReaders = {
    DeviceReader{"disk", add<&Devices::disks, read_disk>},
    DeviceReader{"controller", add<&Devices::controllers, read_controller>},
    DeviceReader{"interface", add<&Devices::interfaces, read_interface>},
    DeviceReader{"serial", add<&Devices::serials, read_serial>},
    DeviceReader{"console", add<&Devices::consoles, read_console>},
    DeviceReader{"channel", add<&Devices::channels, read_channel>},
    DeviceReader{"memballoon", set<&Devices::memballoon, read_memballoon>},
    DeviceReader{"rng", add<&Devices::rngs, read_rng>},
    DeviceReader{"vsock", set<&Devices::vsock, read_vsock>},
};

// libvirt's order of devices.
constexpr std::array<std::string_view, 22> kOrder = {
    "emulator", "disk",     "controller", "filesystem", "interface", "serial", "console", "channel",
    "input",    "tpm",      "graphics",   "sound",      "audio",     "video",  "hostdev", "redirdev",
    "hub",      "watchdog", "memballoon", "rng",        "panic",     "iommu"};

template <typename Device, typename Write>
void write_all(xml::Element& parent, const std::vector<Device>& devices, Write write,
               const WriteContext& context) {
  for (const auto& device : devices) write(parent, device, context);
}

}  // namespace

Result<Devices> read_devices(const Place& place) {
  Devices devices;
  TRY(read_properties(place, kTable, devices, with_shapes(kChildren, kDeviceShapes)));
  for (const auto& child : place.element.children)
    for (const auto& reader : kReaders)
      if (reader.name == child.name) TRY(reader.read(devices, place.child(child)));
  devices.others = TRY(read_others(place, kDeviceShapes));
  return devices;
}

void write_devices(xml::Element& parent, const Devices& devices, const WriteContext& context) {
  auto& element = parent.add_child("devices");
  write_properties(element, kTable, devices, context);
  write_all(element, devices.disks, write_disk, context);
  write_all(element, devices.controllers, write_controller, context);
  write_all(element, devices.interfaces, write_interface, context);
  write_all(element, devices.serials, write_serial, context);
  write_all(element, devices.consoles, write_console, context);
  write_all(element, devices.channels, write_channel, context);
  if (devices.memballoon) write_memballoon(element, *devices.memballoon, context);
  write_all(element, devices.rngs, write_rng, context);
  write_others(element, devices.others, context);
  order_children(element, kOrder);
  if (devices.vsock) write_vsock(element, *devices.vsock, context);
}

}  // namespace virttdx::domain_xml
