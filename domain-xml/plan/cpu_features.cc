// SPDX-License-Identifier: GPL-2.0-or-later
#include "plan/cpu_features.h"

#include <algorithm>

#include "cpu/cpu_map.h"
#include "plan/xfam.h"
#include "vmm_backend/tdx_cpuid_classes.h"

namespace virttdx::domain_xml {
namespace {

constexpr auto kPath = "/domain/cpu/feature";

bool is_set(const CpuidEntries& entries, const CpuidBit& bit) {
  const auto* entry = find_cpuid(entries, bit.function, bit.index);
  return entry != nullptr && (entry->get(bit.reg) >> bit.bit & 1) != 0;
}

void assign(CpuidEntries& entries, const CpuidBit& bit, bool value) {
  for (auto& entry : entries) {
    if (entry.function != bit.function || entry.index != bit.index) continue;
    const auto mask = 1U << bit.bit;
    entry.set(bit.reg, value ? entry.get(bit.reg) | mask : entry.get(bit.reg) & ~mask);
  }
}

std::string reason_of(const CpuidBit& bit) {
  return tdx_cpuid_reason(tdx_cpuid_bit(bit.function, bit.index, bit.reg, bit.bit));
}

class FeaturePlan {
 public:
  FeaturePlan(Planning& planning, CpuidEntries& wanted) : planning_(planning), wanted_(wanted) {}

  void apply(const CpuFeature& feature, const CpuMap& map) {
    const auto* known = map.find(feature.name);
    if (known == nullptr || known->bits.empty()) return refuse_name(feature, known != nullptr);
    for (const auto& bit : known->bits) apply_bit(feature, bit);
  }

 private:
  void refuse_name(const CpuFeature& feature, bool in_msr) {
    const auto message =
        in_msr ? fmt::format("CPU feature '{}' is a bit of an MSR that the TDX module decides alone",
                             feature.name)
               : fmt::format("CPU feature '{}' is unknown to libvirt's CPU map '{}'", feature.name,
                             planning_.sources.cpu_map.string());
    planning_.error(in_msr ? "cpu-feature-msr" : "cpu-feature-unknown", kPath, message, "remove it").line =
        feature.line;
  }

  void add(Severity severity, const char* id, const CpuFeature& feature, const CpuidBit& bit,
           std::string message, std::string remedy) {
    auto& finding = planning_.add(severity, id, kPath, std::move(message), std::move(remedy));
    finding.line = feature.line;
    finding.bit = bit_name(bit.function, bit.index, bit.reg, bit.bit);
  }

  void apply_bit(const CpuFeature& feature, const CpuidBit& bit) {
    switch (feature.policy) {
      case CpuFeaturePolicy::Force:
      case CpuFeaturePolicy::Require:
        return enable(feature, bit, Severity::Error);
      case CpuFeaturePolicy::Optional:
        return enable(feature, bit, Severity::Note);
      case CpuFeaturePolicy::Disable:
        return disable(feature, bit);
      case CpuFeaturePolicy::Forbid:
        return forbid(feature, bit);
    }
  }

  void enable(const CpuFeature& feature, const CpuidBit& bit, Severity when_missing) {
    const bool open = gates_open(tdx_cpuid_bit(bit.function, bit.index, bit.reg, bit.bit));
    if (open && is_set(planning_.host.configurable_cpuid, bit)) return assign(wanted_, bit, true);
    if (is_shown(bit)) return;
    add(when_missing, "cpu-feature-not-offered", feature, bit,
        fmt::format("CPU feature '{}' ({}) cannot be had in a TD on this host: {}", feature.name,
                    bit_name(bit.function, bit.index, bit.reg, bit.bit), reason_of(bit)),
        "remove it or use a host that offers it");
  }

  void disable(const CpuFeature& feature, const CpuidBit& bit) {
    if (!is_stuck(feature, bit)) {
      auto& xfam = planning_.plan.config.td.xfam;
      xfam = valid_xfam(xfam & ~xfam_of_feature(feature.name));
      return assign(wanted_, bit, false);
    }
    add(Severity::Warning, "cpu-feature-stays", feature, bit,
        fmt::format("CPU feature '{}' ({}) stays enabled: {}", feature.name,
                    bit_name(bit.function, bit.index, bit.reg, bit.bit), reason_of(bit)),
        "remove it");
  }

  void forbid(const CpuFeature& feature, const CpuidBit& bit) {
    if (is_shown(bit) || is_set(planning_.host.configurable_cpuid, bit) || is_stuck(feature, bit))
      return add(Severity::Error, "cpu-feature-forbidden", feature, bit,
                 fmt::format("CPU feature '{}' ({}) is forbidden, but this host has it: {}", feature.name,
                             bit_name(bit.function, bit.index, bit.reg, bit.bit), reason_of(bit)),
                 "use policy='disable', or another host");
    assign(wanted_, bit, false);
  }

  // In the guest though nobody chose it: fixed to 1, or the physical CPU's and open to TDs.
  bool is_shown(const CpuidBit& bit) const {
    const auto fact = tdx_cpuid_bit(bit.function, bit.index, bit.reg, bit.bit);
    if (fact.bit_class == TdxCpuidClass::Fixed1) return true;
    if (fact.bit_class == TdxCpuidClass::Fixed0 || !gates_open(fact)) return false;
    if (is_configurable(fact)) return false;
    return is_set(planning_.host.supported_cpuid, bit);
  }

  static bool is_configurable(const TdxCpuidBit& fact) {
    return fact.bit_class == TdxCpuidClass::Configurable ||
           fact.bit_class == TdxCpuidClass::ConfigurableIfNative;
  }

  // A bit that clearing in INIT_VM or in XFAM does not reach. Leaves that KVM answers are ours to clear.
  bool is_stuck(const CpuFeature& feature, const CpuidBit& bit) const {
    const auto fact = tdx_cpuid_bit(bit.function, bit.index, bit.reg, bit.bit);
    return is_shown(bit) && fact.bit_class != TdxCpuidClass::Ve && xfam_of_feature(feature.name) == 0;
  }

  bool gates_open(const TdxCpuidBit& fact) const {
    const auto& td = planning_.plan.config.td;
    return (!fact.xfam_bit || (td.xfam >> *fact.xfam_bit & 1) != 0) &&
           (!fact.attribute_bit || (td.attributes >> *fact.attribute_bit & 1) != 0);
  }

  Planning& planning_;
  CpuidEntries& wanted_;
};

}  // namespace

void plan_cpu_features(Planning& planning, const Cpu& cpu, CpuidEntries& wanted) {
  if (cpu.features.empty()) return;
  const auto map = CpuMap::load(planning.sources.cpu_map);
  if (!map) {
    planning.error("cpu-map-missing", kPath,
                   fmt::format("CPU feature names cannot be looked up: {}", map.error().message()),
                   "install libvirt's CPU map (Debian package libvirt0), or remove the <feature> elements");
    return;
  }
  FeaturePlan features(planning, wanted);
  // First what takes state away: what needs it is then refused whatever the order in the document.
  auto ordered = cpu.features;
  std::ranges::stable_partition(ordered, [](const CpuFeature& feature) {
    return feature.policy == CpuFeaturePolicy::Disable || feature.policy == CpuFeaturePolicy::Forbid;
  });
  for (const auto& feature : ordered) features.apply(feature, *map);
}

}  // namespace virttdx::domain_xml
