// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "elements/elements.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array kTable = {property<&Devices::emulator, AbsolutePath>("emulator")};
constexpr std::array kChildren = {
    ChildRule{"serial", true}, ChildRule{"console", true}, ChildRule{"controller", true},
    ChildRule{"input", true},  ChildRule{"audio", true},   ChildRule{"video", true},
    ChildRule{"memballoon"},
};

}  // namespace

Result<Devices> read_devices(const Place& place) {
  Devices devices;
  TRY(read_properties(place, kTable, devices, kChildren));
  for (const auto& child : place.element.children) {
    const auto inner = place.child(child);
    if (child.name == "serial") devices.serials.push_back(TRY(read_serial(inner)));
    if (child.name == "console") devices.consoles.push_back(TRY(read_console(inner)));
    if (is_inert_device(child.name)) devices.inert.push_back(TRY(read_inert_device(inner)));
  }
  sort_inert_devices(devices.inert);
  return devices;
}

void write_devices(xml::Element& parent, const Devices& devices, const WriteContext& context) {
  auto& element = parent.add_child("devices");
  write_properties(element, kTable, devices, context);
  for (const auto& device : devices.inert)
    if (comes_before_serials(device.element)) write_inert_device(element, device);
  for (const auto& serial : devices.serials) write_serial(element, serial, context);
  for (const auto& console : devices.consoles) write_console(element, console, context);
  for (const auto& device : devices.inert)
    if (!comes_before_serials(device.element)) write_inert_device(element, device);
}

}  // namespace virttdx::domain_xml
