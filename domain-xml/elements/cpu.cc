// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "elements/elements.h"
#include "elements/shapes.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array<std::string_view, 4> kModes = {"custom", "host-model", "host-passthrough", "maximum"};
constexpr std::array<std::string_view, 3> kMatches = {"minimum", "exact", "strict"};
constexpr std::array<std::string_view, 3> kChecks = {"none", "partial", "full"};
constexpr std::array<std::string_view, 2> kFallbacks = {"allow", "forbid"};
constexpr std::array<std::string_view, 2> kMaxphysaddrModes = {"emulate", "passthrough"};
constexpr std::array<std::string_view, 5> kPolicies = {"force", "require", "optional", "disable", "forbid"};

constexpr std::array kTable = {
    property<&Cpu::mode, Word<kModes>>("@mode"),
    property<&Cpu::match, Word<kMatches>>("@match"),
    property<&Cpu::check, Word<kChecks>>("@check"),
    property<&Cpu::migratable, OnOff>("@migratable"),
    property<&Cpu::fallback, Word<kFallbacks>>("model/@fallback"),
    property<&Cpu::vendor_id, NonEmptyText>("model/@vendor_id"),
    property<&Cpu::model, Text>("model"),
    property<&Cpu::vendor, NonEmptyText>("vendor"),
};
constexpr std::array kMaxphysaddrTable = {
    property<&Cpu::maxphysaddr_mode, Word<kMaxphysaddrModes>>("maxphysaddr/@mode"),
    property<&Cpu::maxphysaddr_bits, Count>("maxphysaddr/@bits"),
};
constexpr std::array kTopologyTable = {
    property<&CpuTopology::sockets, Count>("@sockets", {.required = true}),
    property<&CpuTopology::dies, Count>("@dies"),
    property<&CpuTopology::cores, Count>("@cores", {.required = true}),
    property<&CpuTopology::threads, Count>("@threads", {.required = true}),
};
constexpr std::array kFeatureTable = {
    property<&CpuFeature::policy, EnumName<CpuFeaturePolicy, kPolicies>>("@policy"),
    property<&CpuFeature::name, NonEmptyText>("@name", {.required = true}),
};
constexpr std::array kChildren = {ChildRule{"topology"}, ChildRule{"feature", true}};
constexpr std::array<std::string_view, 7> kOrder = {"model",       "vendor",  "topology", "cache",
                                                    "maxphysaddr", "feature", "numa"};

Result<CpuFeature> read_feature(const Place& place) {
  CpuFeature feature;
  feature.line = place.element.line;
  TRY(read_properties(place, kFeatureTable, feature));
  return feature;
}

Result<> add_feature(const Place& place, Cpu& cpu) {
  auto feature = TRY(read_feature(place));
  for (const auto& other : cpu.features)
    if (other.name == feature.name)
      return fail_at(place.element, Error::Code::XmlInvalid,
                     "CPU feature '{}' is named more than once, first in line {}", feature.name, other.line);
  cpu.features.push_back(std::move(feature));
  return {};
}

}  // namespace

Result<Cpu> read_cpu(const Place& place) {
  Cpu cpu;
  TRY(read_properties(place, join_tables(kTable, kMaxphysaddrTable), cpu,
                      with_shapes(kChildren, kCpuShapes)));
  for (const auto& child : place.element.children) {
    const auto inner = place.child(child);
    if (child.name == "feature") TRY(add_feature(inner, cpu));
    if (child.name != "topology") continue;
    cpu.topology.emplace();
    TRY(read_properties(inner, kTopologyTable, *cpu.topology));
  }
  cpu.others = TRY(read_others(place, kCpuShapes));
  return cpu;
}

void write_cpu(xml::Element& parent, const Cpu& cpu, const WriteContext& context) {
  auto& element = parent.add_child("cpu");
  write_properties(element, kTable, cpu, context);
  if (cpu.topology) write_properties(element.add_child("topology"), kTopologyTable, *cpu.topology, context);
  write_properties(element, kMaxphysaddrTable, cpu, context);
  for (const auto& feature : cpu.features)
    write_properties(element.add_child("feature"), kFeatureTable, feature, context);
  write_others(element, cpu.others, context);
  order_children(element, kOrder);
}

}  // namespace virttdx::domain_xml
