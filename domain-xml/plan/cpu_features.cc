// SPDX-License-Identifier: GPL-2.0-or-later
#include "plan/cpu_features.h"

#include <algorithm>

#include "cpu/td_cpu.h"
#include "plan/td_attributes.h"
#include "plan/xfam.h"

namespace virttdx::domain_xml {
namespace {

constexpr auto kFeaturePath = "/domain/cpu/feature";

class FeaturePlan {
 public:
  FeaturePlan(Planning& planning, CpuidEntries& wanted, bool silent, bool full_check)
      : planning_(planning), wanted_(wanted), silent_(silent), full_check_(full_check) {}

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
    planning_.error(in_msr ? "cpu-feature-msr" : "cpu-feature-unknown", kFeaturePath, message, "remove it")
        .line = feature.line;
  }

  void add(Severity severity, const char* id, const CpuFeature& feature, const CpuidBit& bit,
           std::string message, std::string remedy) {
    if (silent_) return;
    auto& finding = planning_.add(severity, id, kFeaturePath, std::move(message), std::move(remedy));
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

  TdCpu td_cpu() const {
    const auto& td = planning_.plan.config.td;
    return TdCpu(planning_.host, td.xfam, td.attributes);
  }

  void enable(const CpuFeature& feature, const CpuidBit& bit, Severity when_missing) {
    const auto cpu = td_cpu();
    const auto answer = cpu.bit(bit);
    if (answer.can_be_1) return assign(wanted_, bit, true);
    if (answer.beyond_kvm && when_missing == Severity::Error) return enable_beyond_kvm(feature, bit);
    if (answer.can_be_0) assign(wanted_, bit, false);
    const auto& fact = answer.module_fact;
    if (fact.xfam_bit && (planning_.plan.config.td.xfam >> *fact.xfam_bit & 1) == 0)
      return refuse_state(feature, bit, *fact.xfam_bit, when_missing);
    // Said already, where the attribute was asked for.
    if (lacks_attribute(feature)) return;
    add(when_missing, "cpu-feature-not-offered", feature, bit,
        fmt::format("CPU feature '{}' ({}, {}) cannot be had in a TD on this host: {}", feature.name,
                    bit_name(bit.function, bit.index, bit.reg, bit.bit), to_name(answer.bit_class),
                    cpu.reason(bit)),
        "remove it or use a host that offers it");
  }

  void enable_beyond_kvm(const CpuFeature& feature, const CpuidBit& bit) {
    assign(wanted_, bit, true);
    const bool is_monitor = feature.name == "monitor";
    add(Severity::Warning, "cpu-feature-beyond-kvm", feature, bit,
        fmt::format(
            "CPU feature '{}' ({}) is shown, as the TDX module lets it be set, but KVM offers it to no "
            "guest: {}",
            feature.name, bit_name(bit.function, bit.index, bit.reg, bit.bit),
            is_monitor ? "MONITOR and MWAIT are #UD in a TD" : "what it announces may not work"),
        "remove it");
  }

  bool lacks_attribute(const CpuFeature& feature) const {
    const auto attribute = attribute_of_feature(feature.name);
    return attribute && (planning_.plan.config.td.attributes >> *attribute & 1) == 0;
  }

  // Missing for want of state: of the host, or because the definition takes the state away.
  void refuse_state(const CpuFeature& feature, const CpuidBit& bit, unsigned xfam_bit, Severity severity) {
    const bool offered = (valid_xfam(planning_.host.supported_xfam) >> xfam_bit & 1) != 0;
    const auto why = offered ? std::string("the features of this definition leave that state out")
                             : fmt::format("this host offers TDs XFAM {:#x}", planning_.host.supported_xfam);
    add(severity, offered ? "cpu-feature-state-left-out" : "cpu-feature-state-not-offered", feature, bit,
        fmt::format("CPU feature '{}' ({}) needs XFAM bit {} ({}): {}", feature.name,
                    bit_name(bit.function, bit.index, bit.reg, bit.bit), xfam_bit, xfam_name(xfam_bit), why),
        offered ? "add the feature that the state belongs to, or do not disable it"
                : "remove it or use a host that offers it");
  }

  void disable(const CpuFeature& feature, const CpuidBit& bit) {
    const auto cpu = td_cpu();
    const auto answer = cpu.bit(bit);
    auto& xfam = planning_.plan.config.td.xfam;
    const auto state = xfam_of_feature(feature.name);
    if (answer.can_be_0 || state != 0) {
      xfam = valid_xfam(xfam & ~state);
      return assign(wanted_, bit, false);
    }
    add(full_check_ ? Severity::Error : Severity::Warning, "cpu-feature-stays", feature, bit,
        fmt::format("CPU feature '{}' ({}, {}) stays enabled: {}", feature.name,
                    bit_name(bit.function, bit.index, bit.reg, bit.bit), to_name(answer.bit_class),
                    cpu.reason(bit)),
        "remove it");
  }

  void forbid(const CpuFeature& feature, const CpuidBit& bit) {
    const auto cpu = td_cpu();
    const auto answer = cpu.bit(bit);
    if (answer.can_be_0) assign(wanted_, bit, false);
    if (!answer.can_be_1) return;
    add(Severity::Error, "cpu-feature-forbidden", feature, bit,
        fmt::format("CPU feature '{}' ({}, {}) is forbidden, but this host has it: {}", feature.name,
                    bit_name(bit.function, bit.index, bit.reg, bit.bit), to_name(answer.bit_class),
                    cpu.reason(bit)),
        "use policy='disable', or another host");
  }

  Planning& planning_;
  CpuidEntries& wanted_;
  bool silent_;
  bool full_check_;
};

bool takes_away(const CpuFeature& feature) {
  return feature.policy == CpuFeaturePolicy::Disable || feature.policy == CpuFeaturePolicy::Forbid;
}

}  // namespace

void plan_cpu_features(Planning& planning, const Cpu& cpu, const CpuMap& map, bool silent,
                       CpuidEntries& wanted) {
  FeaturePlan features(planning, wanted, silent, cpu.check == "full");
  // First what takes state away: what needs it is then refused whatever the order in the document.
  auto ordered = cpu.features;
  // Not std::ranges: clang 14 cannot read libstdc++ 12's.
  std::stable_partition(ordered.begin(), ordered.end(), takes_away);
  for (const auto& feature : ordered) features.apply(feature, map);
}

void plan_feature_attributes(Planning& planning, const Cpu& cpu, bool silent) {
  auto& attributes = planning.plan.config.td.attributes;
  for (const auto& feature : cpu.features) {
    const auto bit = attribute_of_feature(feature.name);
    if (!bit || takes_away(feature) || (attributes >> *bit & 1) != 0) continue;
    // Silence is asked of a scratch plan: what is found there is dropped.
    Planning unheard(planning.domain, planning.host, planning.sources);
    const auto severity = feature.policy == CpuFeaturePolicy::Optional ? Severity::Note : Severity::Error;
    if (check_td_attribute(
            silent ? unheard : planning, *bit,
            {fmt::format("CPU feature '{}'", feature.name), kFeaturePath, feature.line, severity}))
      attributes |= std::uint64_t{1} << *bit;
  }
}

}  // namespace virttdx::domain_xml
