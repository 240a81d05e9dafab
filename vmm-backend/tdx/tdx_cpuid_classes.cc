// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmm_backend/tdx_cpuid_classes.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "tdx/tdx_cpuid_spec.h"

namespace virttdx {

namespace {

using tdx::CpuidLeafRule;

// The module has a value for these, but a TD gets #VE unless it asked for reduced #VE.
constexpr std::uint32_t kVeLeaves[] = {0x2, 0x6, 0x80000002};

// Null also for leaves that KVM answers.
const CpuidLeafRule* find_rule(std::uint32_t function, std::uint32_t index) {
  if (std::find(std::begin(kVeLeaves), std::end(kVeLeaves), function) != std::end(kVeLeaves)) return nullptr;
  const auto* const end = tdx::kCpuidLeaves.end();
  const auto* const first = std::ranges::lower_bound(tdx::kCpuidLeaves, function, {}, &CpuidLeafRule::leaf);
  const auto* const found = std::find_if(first, end, [&](const CpuidLeafRule& rule) {
    return rule.leaf != function || rule.subleaf == tdx::kNoSubleaf || rule.subleaf == index;
  });
  return found == end || found->leaf != function ? nullptr : found;
}

struct Condition {
  bool is_xfam;
  std::uint8_t bit;
};
// The bit without which a whole leaf is 0.
std::optional<Condition> condition_of(const CpuidLeafRule& rule) {
  constexpr std::uint8_t kPerfmon = 63;
  if (rule.condition == tdx::LeafCondition::kXfam) return Condition{true, rule.condition_bit};
  if (rule.condition == tdx::LeafCondition::kAttribute) return Condition{false, rule.condition_bit};
  if (rule.condition == tdx::LeafCondition::kArchPerfmonExt) return Condition{false, kPerfmon};
  return std::nullopt;
}

void find_gates(const CpuidLeafRule& rule, std::size_t register_index, std::uint32_t mask,
                TdxCpuidBit& answer) {
  for (const auto& gate : tdx::kCpuidGates) {
    if (gate.leaf != rule.leaf || gate.subleaf != rule.subleaf || gate.register_index != register_index ||
        !(gate.mask & mask))
      continue;
    auto& target = gate.kind == tdx::GateKind::kXfam ? answer.xfam_bit : answer.attribute_bit;
    if (!target) target = gate.bit;
  }
  if (const auto condition = condition_of(rule))
    (condition->is_xfam ? answer.xfam_bit : answer.attribute_bit) = condition->bit;
}

TdxCpuidClass class_of(const tdx::CpuidRegisterRule& masks, std::uint32_t mask, const TdxCpuidBit& gates) {
  if (masks.fixed0 & mask) return TdxCpuidClass::Fixed0;
  if (masks.fixed1 & mask) return TdxCpuidClass::Fixed1;
  if (masks.dynamic & mask) return TdxCpuidClass::Dynamic;
  if (masks.config_direct & mask) return TdxCpuidClass::Configurable;
  if (masks.allow_direct & mask) return TdxCpuidClass::ConfigurableIfNative;
  if (gates.xfam_bit) return TdxCpuidClass::XfamDependent;
  return gates.attribute_bit ? TdxCpuidClass::AttributeDependent : TdxCpuidClass::Native;
}

struct BitName {
  std::uint8_t bit;
  const char* name;
};
constexpr BitName kXfamNames[] = {
    {2, "AVX"},          {3, "MPX BNDREGS"},  {4, "MPX BNDCSR"}, {5, "AVX-512 opmask"}, {6, "ZMM_Hi256"},
    {7, "Hi16_ZMM"},     {8, "PT"},           {9, "PKRU"},       {10, "PASID"},         {11, "CET_U"},
    {12, "CET_S"},       {13, "HDC"},         {14, "UINTR"},     {15, "LBR"},           {16, "HWP"},
    {17, "AMX TILECFG"}, {18, "AMX TILEDATA"}};
constexpr BitName kAttributeNames[] = {{27, "LASS"}, {29, "MIGRATABLE"}, {30, "PKS"}, {63, "PERFMON"}};

std::string gate_text(const TdxCpuidBit& bit) {
  const auto name_of = [](const auto& names, std::uint8_t number) {
    const auto found = std::find_if(std::begin(names), std::end(names),
                                    [number](const BitName& name) { return name.bit == number; });
    return found == std::end(names) ? "reserved" : found->name;
  };
  std::string text;
  if (bit.xfam_bit)
    text += fmt::format(", and 0 unless XFAM bit {} ({}) is 1", *bit.xfam_bit,
                        name_of(kXfamNames, *bit.xfam_bit));
  if (bit.attribute_bit)
    text += fmt::format(", and 0 unless ATTRIBUTES bit {} ({}) is 1", *bit.attribute_bit,
                        name_of(kAttributeNames, *bit.attribute_bit));
  return text;
}

const char* class_text(TdxCpuidClass bit_class) {
  switch (bit_class) {
    case TdxCpuidClass::Fixed0:
      return "the TDX module fixes it to 0";
    case TdxCpuidClass::Fixed1:
      return "the TDX module fixes it to 1";
    case TdxCpuidClass::Native:
    case TdxCpuidClass::XfamDependent:
    case TdxCpuidClass::AttributeDependent:
      return "the TDX module shows the physical CPU's value";
    case TdxCpuidClass::Configurable:
      return "it is configurable at TD creation";
    case TdxCpuidClass::ConfigurableIfNative:
      return "it is configurable at TD creation if the physical CPU has it";
    case TdxCpuidClass::Dynamic:
      return "the TDX module computes it when the guest executes CPUID";
    case TdxCpuidClass::Ve:
      return "the leaf causes #VE in a TD: the guest asks KVM for it";
  }
  return "";
}

}  // namespace

TdxCpuidBit tdx_cpuid_bit(std::uint32_t function, std::uint32_t index, CpuidRegister name, unsigned bit) {
  const auto* rule = find_rule(function, index);
  if (!rule) return {};
  const auto register_index = static_cast<std::size_t>(name);
  const auto mask = std::uint32_t{1} << bit;
  TdxCpuidBit answer;
  find_gates(*rule, register_index, mask, answer);
  answer.bit_class = class_of(rule->registers[register_index], mask, answer);
  const bool fixed = answer.bit_class == TdxCpuidClass::Fixed0 || answer.bit_class == TdxCpuidClass::Dynamic;
  if (fixed) answer.xfam_bit = answer.attribute_bit = std::nullopt;
  return answer;
}

TdxCpuidRegister tdx_cpuid_register(std::uint32_t function, std::uint32_t index, CpuidRegister name,
                                    std::uint64_t xfam, std::uint64_t attributes) {
  const auto* rule = find_rule(function, index);
  if (!rule) return {};
  const auto register_index = static_cast<std::size_t>(name);
  const auto& masks = rule->registers[register_index];
  TdxCpuidRegister answer{masks.fixed0, masks.fixed1, masks.config_direct | masks.allow_direct, 0};
  const auto lacks = [&](bool is_xfam, unsigned bit) {
    return ((is_xfam ? xfam : attributes) >> bit & 1) == 0;
  };
  for (const auto& gate : tdx::kCpuidGates)
    if (gate.leaf == rule->leaf && gate.subleaf == rule->subleaf && gate.register_index == register_index &&
        lacks(gate.kind == tdx::GateKind::kXfam, gate.bit))
      answer.shut |= gate.mask;
  if (const auto condition = condition_of(*rule); condition && lacks(condition->is_xfam, condition->bit))
    answer.shut = ~0U;
  answer.shut &= ~(masks.fixed0 | masks.dynamic);
  return answer;
}

std::string tdx_cpuid_reason(const TdxCpuidBit& bit) { return class_text(bit.bit_class) + gate_text(bit); }

}  // namespace virttdx
