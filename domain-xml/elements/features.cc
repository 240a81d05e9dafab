// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "elements/elements.h"
#include "elements/shapes.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array<std::string_view, 2> kIoapicDrivers = {"kvm", "qemu"};

constexpr std::array kTable = {
    property<&Features::acpi, Presence>("acpi"),
    property<&Features::apic, Presence>("apic"),
    property<&Features::apic_eoi, OnOff>("apic/@eoi"),
    property<&Features::pae, Presence>("pae"),
    property<&Features::pmu, OnOff>("pmu/@state", {.implied = "on"}),
    property<&Features::smm, OnOff>("smm/@state", {.implied = "on"}),
    property<&Features::ioapic_driver, Word<kIoapicDrivers>>("ioapic/@driver"),
};

constexpr std::array<std::string_view, 12> kOrder = {"acpi",   "apic", "pae",        "hap",
                                                     "hyperv", "kvm",  "pvspinlock", "pmu",
                                                     "vmport", "smm",  "ioapic",     "vmcoreinfo"};

}  // namespace

Result<Features> read_features(const Place& place) {
  Features features;
  TRY(read_properties(place, kTable, features, with_shapes({}, kFeatureShapes)));
  features.others = TRY(read_others(place, kFeatureShapes));
  return features;
}

void write_features(xml::Element& parent, const Features& features, const WriteContext& context) {
  auto& element = parent.add_child("features");
  write_properties(element, kTable, features, context);
  write_others(element, features.others, context);
  order_children(element, kOrder);
}

}  // namespace virttdx::domain_xml
