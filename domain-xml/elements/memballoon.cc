// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/device_info.h"
#include "elements/elements.h"

namespace virttdx::domain_xml {
namespace {

using Models = OneOf<"virtio", "virtio-transitional", "virtio-non-transitional", "xen", "none">;

constexpr std::array kTable = {
    property<&MemoryBalloon::model, Models>("@model", {.required = true}),
    property<&MemoryBalloon::autodeflate, OnOff>("@autodeflate"),
    property<&MemoryBalloon::free_page_reporting, OnOff>("@freePageReporting"),
    property<&MemoryBalloon::statistics_period, Number>("stats/@period"),
};
constexpr std::array<Row<MemoryBalloon>, 3> kDriverTable = kVirtioRows<MemoryBalloon, &MemoryBalloon::virtio>;

}  // namespace

Result<MemoryBalloon> read_memballoon(const Place& place) {
  MemoryBalloon balloon;
  TRY(read_properties(place, join_tables(kTable, kDriverTable), balloon, kInfoRules));
  TRY(read_device_info(place, balloon));
  return balloon;
}

// libvirt writes `<driver>` last here.
void write_memballoon(xml::Element& parent, const MemoryBalloon& balloon, const WriteContext& context) {
  auto& element = parent.add_child("memballoon");
  write_properties(element, kTable, balloon, context);
  write_device_info(element, balloon, context);
  write_properties(element, kDriverTable, balloon, context);
}

}  // namespace virttdx::domain_xml
