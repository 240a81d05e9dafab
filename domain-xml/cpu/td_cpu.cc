// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpu/td_cpu.h"

#include <algorithm>
#include <iterator>

#include "domain_xml/plan.h"
#include "plan/cpuid_leaves.h"
#include "plan/xfam.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::uint64_t kDefaultAttributes = 0x10000000;

bool is_hypervisor_leaf(std::uint32_t function) { return function >> 28 == 4; }

bool is_answered_by_kvm(const CpuidEntry& entry) {
  return tdx_cpuid_bit(entry.function, entry.index, CpuidRegister::Eax, 0).bit_class == TdxCpuidClass::Ve;
}

TdCpuBitClass class_of(const TdxCpuidBit& fact) {
  switch (fact.bit_class) {
    case TdxCpuidClass::Fixed0:
      return TdCpuBitClass::Fixed0;
    case TdxCpuidClass::Fixed1:
      return TdCpuBitClass::Fixed1;
    case TdxCpuidClass::Native:
      return TdCpuBitClass::Native;
    case TdxCpuidClass::XfamDependent:
      return TdCpuBitClass::XfamDependent;
    case TdxCpuidClass::AttributeDependent:
      return TdCpuBitClass::AttributeDependent;
    case TdxCpuidClass::Dynamic:
      return TdCpuBitClass::Computed;
    case TdxCpuidClass::Configurable:
    case TdxCpuidClass::ConfigurableIfNative:
      return TdCpuBitClass::Configurable;
    case TdxCpuidClass::Ve:
      return TdCpuBitClass::KvmAnswered;
  }
  return TdCpuBitClass::NotOffered;
}

}  // namespace

std::string_view to_name(TdCpuBitClass bit_class) {
  constexpr std::array<std::string_view, 10> kNames = {
      "configurable", "fixed-1",  "fixed-0",         "XFAM-dependent",  "attribute-dependent",
      "native",       "computed", "answered by KVM", "KVM paravirtual", "not offered"};
  return kNames[static_cast<std::size_t>(bit_class)];
}

bool TdCpu::gates_open(const TdxCpuidBit& fact) const {
  return (!fact.xfam_bit || (xfam_ >> *fact.xfam_bit & 1) != 0) &&
         (!fact.attribute_bit || (attributes_ >> *fact.attribute_bit & 1) != 0);
}

TdCpuBit TdCpu::bit(const CpuidBit& bit) const {
  const auto fact = tdx_cpuid_bit(bit.function, bit.index, bit.reg, bit.bit);
  if (!is_hypervisor_leaf(bit.function)) return of_module(bit, fact);
  const bool offered = (allowed_kvm_features(*host_, bit) >> bit.bit & 1) != 0;
  return {TdCpuBitClass::KvmParavirtual, fact, offered, true};
}

TdCpuBit TdCpu::of_module(const CpuidBit& bit, const TdxCpuidBit& fact) const {
  const bool shown_by_kvm = is_set(host_->supported_cpuid, bit);
  const bool open = gates_open(fact);
  TdCpuBit answer{class_of(fact), fact, false, false};
  switch (fact.bit_class) {
    case TdxCpuidClass::Fixed0:
      answer.can_be_0 = true;
      break;
    case TdxCpuidClass::Fixed1:
      answer.can_be_1 = open;
      break;
    case TdxCpuidClass::Configurable:
    case TdxCpuidClass::ConfigurableIfNative: {
      const bool listed = is_set(host_->configurable_cpuid, bit);
      if (!listed) answer.bit_class = TdCpuBitClass::NotOffered;
      // The module lists the second kind only where the physical CPU has the bit.
      answer.beyond_kvm = open && listed && fact.bit_class != TdxCpuidClass::Configurable && !shown_by_kvm;
      answer.can_be_1 = open && listed && !answer.beyond_kvm;
      answer.can_be_0 = true;
      break;
    }
    case TdxCpuidClass::Ve:
      answer.can_be_1 = shown_by_kvm;
      answer.can_be_0 = true;
      break;
    default:
      answer.can_be_1 = open && shown_by_kvm;
      answer.can_be_0 = !answer.can_be_1;
      break;
  }
  return answer;
}

bool TdCpu::can_have(const CpuMap::Feature& feature) const {
  return !feature.bits.empty() &&
         std::ranges::all_of(feature.bits, [&](const CpuidBit& one) { return bit(one).can_be_1; });
}

std::string TdCpu::reason(const CpuidBit& which) const {
  const auto answer = bit(which);
  switch (answer.bit_class) {
    case TdCpuBitClass::KvmParavirtual:
      return answer.can_be_1 ? "KVM's paravirtual leaf, which KVM itself answers"
                             : "KVM does not offer this paravirtual feature, or it needs memory that KVM "
                               "shares with the guest, which a TD has not";
    case TdCpuBitClass::NotOffered:
      return "this host's KVM and TDX module do not list it as configurable";
    default:
      break;
  }
  auto text = tdx_cpuid_reason(answer.module_fact);
  if (!answer.can_be_1 && answer.module_fact.bit_class != TdxCpuidClass::Fixed0 &&
      gates_open(answer.module_fact))
    text += "; this host's KVM does not show the bit";
  return text;
}

FeatureNames td_features(const HostCapabilities& host, const CpuModelMap& map) {
  const TdCpu cpu(host, valid_xfam(host.supported_xfam), kDefaultAttributes);
  FeatureNames names;
  for (const auto& feature : map.features().features())
    if (feature.is_of_processor() && cpu.can_have(feature)) names.insert(feature.name);
  return names;
}

std::uint64_t xfam_of(const FeatureNames& features, const HostCapabilities& host) {
  auto xfam = kXfamFixed1;
  for (const auto feature : xfam_features())
    if (features.contains(feature)) xfam |= xfam_of_feature(feature);
  return valid_xfam(xfam & valid_xfam(host.supported_xfam));
}

FeatureNames missing_in_td(const FeatureNames& features, const HostCapabilities& host,
                           const CpuModelMap& map) {
  const TdCpu cpu(host, xfam_of(features, host), kDefaultAttributes);
  FeatureNames missing;
  for (const auto& name : features)
    if (const auto* feature = map.features().find(name); feature == nullptr || !cpu.can_have(*feature))
      missing.insert(name);
  return missing;
}

CpuidEntries seen_by_guest(const CpuidReport& report) {
  auto entries = report.actual;
  std::erase_if(entries, is_answered_by_kvm);
  std::ranges::copy_if(report.vcpu_requested, std::back_inserter(entries), is_answered_by_kvm);
  return entries;
}

std::string blocking_bit(const TdCpu& cpu, const CpuMap::Feature& feature) {
  for (const auto& bit : feature.bits)
    if (!cpu.bit(bit).can_be_1) return bit_name(bit.function, bit.index, bit.reg, bit.bit);
  return {};
}

}  // namespace virttdx::domain_xml
