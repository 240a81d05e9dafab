// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "elements/elements.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array<std::string_view, 2> kIoapicDrivers = {"kvm", "qemu"};

constexpr std::array kTable = {
    property<&Features::acpi, Presence>("acpi"),
    property<&Features::apic, Presence>("apic"),
    property<&Features::pae, Presence>("pae"),
    property<&Features::pmu, OnOff>("pmu/@state", {.implied = "on"}),
    property<&Features::smm, OnOff>("smm/@state", {.implied = "on"}),
    property<&Features::ioapic_driver, Word<kIoapicDrivers>>("ioapic/@driver"),
};

}  // namespace

Result<Features> read_features(const Place& place) {
  Features features;
  TRY(read_properties(place, kTable, features));
  return features;
}

void write_features(xml::Element& parent, const Features& features, const WriteContext& context) {
  write_properties(parent.add_child("features"), kTable, features, context);
}

}  // namespace virttdx::domain_xml
