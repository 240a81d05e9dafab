// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/module/cpuid_virtualization.h"

#include <algorithm>

#include "tdx/tdx_spec.h"

namespace virttdx::softhost {

namespace {

using tdx::CpuidLeafRule;

constexpr std::uint64_t bit(unsigned number) { return std::uint64_t{1} << number; }

constexpr std::uint32_t kHypervisorFirst = 0x40000000, kHypervisorLast = 0x4FFFFFFF;
constexpr std::uint32_t kTopologyLeaf = 0x1F, kOldTopologyLeaf = 0xB, kXsaveLeaf = 0xD;
constexpr std::uint32_t kCacheLeaf = 4, kCacheSubleaves = 4;
// Leaves whose content the module gives only to a TD that reduces #VE.
constexpr std::uint32_t kReducedLeaves[] = {0x6,        0xC,        0x16,       0x17,
                                            0x80000002, 0x80000003, 0x80000004, 0x80000005};
// Of these only to one that does not handle the feature of which they tell: a bit of CPUID.
struct FeatureLeaf {
  std::uint32_t leaf, feature_leaf;
  std::uint32_t CpuidValue::*register_;
  std::uint32_t mask;
};
constexpr FeatureLeaf kFeatureLeaves[] = {{0x9, 1, &CpuidValue::ecx, 1U << 18},    // DCA
                                          {0xF, 7, &CpuidValue::ebx, 1U << 12},    // RDT_M
                                          {0x10, 7, &CpuidValue::ebx, 1U << 15},   // RDT_A
                                          {0x1B, 7, &CpuidValue::edx, 1U << 18}};  // PCONFIG

std::array<std::uint32_t*, 4> registers(CpuidValue& value) {
  return {&value.eax, &value.ebx, &value.ecx, &value.edx};
}

std::uint32_t native_subleaf(const CpuidLeafRule& rule) {
  return rule.subleaf == tdx::kNoSubleaf ? 0 : rule.subleaf;
}

std::optional<std::size_t> find_rule(std::uint32_t leaf, std::uint32_t subleaf) {
  const auto& rules = tdx::kCpuidLeaves;
  auto rule = std::lower_bound(rules.begin(), rules.end(), leaf,
                               [](const CpuidLeafRule& r, std::uint32_t wanted) { return r.leaf < wanted; });
  for (; rule != rules.end() && rule->leaf == leaf; ++rule)
    if (rule->subleaf == subleaf || rule->subleaf == tdx::kNoSubleaf)
      return static_cast<std::size_t>(rule - rules.begin());
  return std::nullopt;
}

bool always_zero(std::uint32_t leaf) {
  constexpr std::uint32_t kExtended = 0x80000000, kBaseBits = 52;
  if (leaf < kBaseBits) return tdx::kCpuidFixed0Bitmap & bit(leaf);
  return leaf >= kExtended && leaf < kExtended + 64 - kBaseBits &&
         tdx::kCpuidFixed0Bitmap & bit(leaf - kExtended + kBaseBits);
}

// FMS_CONFIG: family, model and stepping of 0 stand for the processor's own.
void take_native_signature(const CpuidLeafRule& rule, const CpuidValue& native, CpuidValue& config) {
  if (rule.leaf == 1 && config.eax == 0) config.eax = native.eax;
}

}  // namespace

void CpuidVirtualization::configure(const Parameters& parameters, Config config) {
  parameters_ = parameters;
  for (std::size_t i = 0; i < values_.size(); ++i) values_[i] = virtualize(tdx::kCpuidLeaves[i], config);
  // Conditions look at virtual values of other leaves.
  for (std::size_t i = 0; i < values_.size(); ++i)
    if (leaf_is_zero(tdx::kCpuidLeaves[i])) values_[i] = {};
  finish_topology();
  finish_sizes();
}

CpuidValue CpuidVirtualization::virtualize(const CpuidLeafRule& rule, Config config) const {
  CpuidValue native = module_->native(rule.leaf, native_subleaf(rule));
  CpuidValue given =
      rule.config_index < 0 ? CpuidValue{} : config[static_cast<std::size_t>(rule.config_index)];
  take_native_signature(rule, native, given);
  CpuidValue value;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& masks = rule.registers[i];
    const auto native_bits = *registers(native)[i], given_bits = *registers(given)[i];
    const auto decided =
        masks.fixed1 | masks.fixed0 | masks.config_direct | masks.allow_direct | masks.dynamic;
    *registers(value)[i] = masks.fixed1 | (native_bits & ~decided) | (given_bits & masks.config_direct) |
                           (given_bits & masks.allow_direct & native_bits);
  }
  for (const auto& gate : tdx::kCpuidGates) {
    const auto enabled = gate.kind == tdx::GateKind::kXfam ? parameters_.xfam : parameters_.attributes;
    if (gate.leaf == rule.leaf && gate.subleaf == rule.subleaf && !(enabled & bit(gate.bit)))
      *registers(value)[gate.register_index] &= ~gate.mask;
  }
  return value;
}

bool CpuidVirtualization::leaf_is_zero(const CpuidLeafRule& rule) const {
  constexpr std::uint32_t kMonitorInLeaf1Ecx = 1U << 3, kArchPerfmonExtInLeaf7_1Eax = 1U << 8;
  switch (rule.condition) {
    case tdx::LeafCondition::kNone:
      return false;
    case tdx::LeafCondition::kXfam:
      return !(parameters_.xfam & bit(rule.condition_bit));
    case tdx::LeafCondition::kAttribute:
      return !(parameters_.attributes & bit(rule.condition_bit));
    case tdx::LeafCondition::kWithoutAttribute:
      return parameters_.attributes & bit(rule.condition_bit);
    case tdx::LeafCondition::kMonitor:
      return !(value(1, 0)->ecx & kMonitorInLeaf1Ecx);
    case tdx::LeafCondition::kArchPerfmonExt:
      return !(parameters_.attributes & bit(tdx::attribute::kPerfmon)) ||
             !(value(7, 1)->eax & kArchPerfmonExtInLeaf7_1Eax);
  }
  return false;
}

// Leaf 0x1F not configured is the processor's; leaf 0xB tells its SMT level and its outermost level as core.
void CpuidVirtualization::finish_topology() {
  constexpr std::uint32_t kLevels = 6, kCoreType = 2 << 8;
  const auto level_at = [this](std::uint32_t leaf, std::uint32_t i) -> CpuidValue& {
    return values_[*find_rule(leaf, i)];
  };
  bool configured = false;
  for (std::uint32_t i = 0; i < kLevels; ++i) configured = configured || level_at(kTopologyLeaf, i).ecx >> 8;
  if (!configured) {
    for (std::uint32_t i = 0; i < kLevels; ++i) {
      level_at(kTopologyLeaf, i) = module_->native(kTopologyLeaf, i);
      level_at(kTopologyLeaf, i).edx = 0;
    }
    return;
  }
  CpuidValue outermost;
  for (std::uint32_t i = 1; i < kLevels; ++i)
    if (level_at(kTopologyLeaf, i).ecx >> 8) outermost = level_at(kTopologyLeaf, i);
  level_at(kOldTopologyLeaf, 0) = level_at(kTopologyLeaf, 0);
  level_at(kOldTopologyLeaf, 1) = {outermost.eax, outermost.ebx, kCoreType | 1, 0};
  level_at(kOldTopologyLeaf, 2) = {0, 0, 2, 0};
}

void CpuidVirtualization::finish_sizes() {
  constexpr std::uint32_t kXfdInLeafD_1Eax = 1U << 4, kLa57InLeaf7Ecx = 1U << 16;
  values_[*find_rule(kXsaveLeaf, 0)].ecx = xsave_size(parameters_.xfam & tdx::xfam::kXcr0Mask, false);
  if (!(parameters_.xfam & bit(tdx::xfam::kTileData)))
    values_[*find_rule(kXsaveLeaf, 1)].eax &= ~kXfdInLeafD_1Eax;
  values_[*find_rule(0x15, 0)].ebx = parameters_.tsc_frequency;

  auto& sizes = values_[*find_rule(0x80000008, 0)].eax;
  const unsigned gpaw = parameters_.config_flags & bit(tdx::config_flag::kGpaw) ? 52 : 48;
  std::uint32_t physical = module_->native(0x80000008, 0).eax & 0xFF;
  if (parameters_.config_flags & bit(tdx::config_flag::kMaxpaVirt))
    physical = sizes & 0xFF ? sizes & 0xFF : std::min<std::uint32_t>(physical, gpaw);
  const std::uint32_t linear = value(7, 0)->ecx & kLa57InLeaf7Ecx ? 57 : 48;
  const std::uint32_t guest = parameters_.config_flags & bit(tdx::config_flag::kMaxgpaVirt)
                                  ? std::min<std::uint32_t>(physical, gpaw)
                                  : 0;
  sizes = physical | linear << 8 | guest << 16;
}

std::optional<CpuidValue> CpuidVirtualization::value(std::uint32_t leaf, std::uint32_t subleaf) const {
  const auto rule = find_rule(leaf, subleaf);
  if (!rule) return std::nullopt;
  return values_[*rule];
}

CpuidEntries CpuidVirtualization::values() const {
  CpuidEntries entries;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const auto& rule = tdx::kCpuidLeaves[i];
    const auto& value = values_[i];
    entries.push_back({rule.leaf, native_subleaf(rule), rule.subleaf != tdx::kNoSubleaf, value.eax, value.ebx,
                       value.ecx, value.edx});
  }
  return entries;
}

std::optional<CpuidValue> CpuidVirtualization::cpuid(std::uint32_t leaf, std::uint32_t subleaf,
                                                     const CpuidContext& context,
                                                     const CpuidVcpuState& vcpu) const {
  if (leaf >= kHypervisorFirst && leaf <= kHypervisorLast) return std::nullopt;
  const bool basic = leaf <= tdx::kMaxBasicLeaf;
  const bool extended = leaf >= 0x80000000 && leaf <= tdx::kMaxExtendedLeaf;
  if (!basic && !extended) leaf = tdx::kMaxBasicLeaf;
  if (causes_ve(leaf, vcpu)) return std::nullopt;
  auto answer = value(leaf, subleaf);
  if (!answer) return unlisted(leaf, subleaf, vcpu);
  apply_dynamic(leaf, subleaf, context, vcpu, *answer);
  return answer;
}

bool CpuidVirtualization::causes_ve(std::uint32_t leaf, const CpuidVcpuState& vcpu) const {
  const bool reduced = vcpu.controls.reduces_ve();
  if (leaf == 2) return !vcpu.has(tdx::td_control::kVirtCpuid2);
  if (leaf == kTopologyLeaf || leaf == kOldTopologyLeaf) return !vcpu.has(tdx::td_control::kEnumTopology);
  if (std::ranges::find(kReducedLeaves, leaf) != std::end(kReducedLeaves)) return !reduced;
  const auto* const known = std::ranges::find(kFeatureLeaves, leaf, &FeatureLeaf::leaf);
  if (known == std::end(kFeatureLeaves)) return false;
  const auto feature = with_features(known->feature_leaf, 0, *value(known->feature_leaf, 0), vcpu.controls);
  return !reduced || feature.*known->register_ & known->mask;
}

// A leaf or sub-leaf that the table does not have.
std::optional<CpuidValue> CpuidVirtualization::unlisted(std::uint32_t leaf, std::uint32_t subleaf,
                                                        const CpuidVcpuState& vcpu) const {
  constexpr std::uint32_t kLevelNumber = 0xFF;
  if (always_zero(leaf)) return CpuidValue{};
  if (!vcpu.controls.reduces_ve()) return std::nullopt;
  if (leaf == kTopologyLeaf || leaf == kOldTopologyLeaf)
    return CpuidValue{0, 0, subleaf & kLevelNumber, vcpu.x2apic_id};
  return CpuidValue{};
}

// A TD that reduces #VE sees the processor's caches, shared by as many as was configured.
CpuidValue CpuidVirtualization::native_cache(std::uint32_t subleaf, const CpuidValue& configured) const {
  constexpr std::uint32_t kSharing = 0xFFFFC000;
  CpuidValue value = module_->native(kCacheLeaf, subleaf);
  value.eax = (value.eax & ~kSharing) | (configured.eax & kSharing);
  return value;
}

void CpuidVirtualization::apply_dynamic(std::uint32_t leaf, std::uint32_t subleaf,
                                        const CpuidContext& context, const CpuidVcpuState& vcpu,
                                        CpuidValue& value) const {
  constexpr unsigned kCr4Osxsave = 18, kCr4Pke = 22;
  constexpr std::uint32_t kOsxsave = 1U << 27, kOspke = 1U << 4, kSyscall = 1U << 11;
  value = with_features(leaf, subleaf, value, vcpu.controls);
  switch (leaf) {
    case 1:
      value.ebx |= (vcpu.has(tdx::td_control::kEnumTopology) ? vcpu.x2apic_id : vcpu.index) << 24;
      if (context.cr4 & bit(kCr4Osxsave)) value.ecx |= kOsxsave;
      break;
    case kCacheLeaf:
      if (vcpu.controls.reduces_ve() && subleaf < kCacheSubleaves) value = native_cache(subleaf, value);
      break;
    case 7:
      if (subleaf == 0 && context.cr4 & bit(kCr4Pke)) value.ecx |= kOspke;
      break;
    case kOldTopologyLeaf:
    case kTopologyLeaf:
      value.edx = vcpu.x2apic_id;
      break;
    case kXsaveLeaf:
      if (subleaf == 0) value.ebx = xsave_size(context.xcr0, false);
      if (subleaf == 1) value.ebx = xsave_size(context.xcr0 | context.xss, true);
      break;
    case 0x80000001:
      if (context.long_mode) value.edx |= kSyscall;
      break;
    default:
      break;
  }
}

std::uint32_t CpuidVirtualization::xsave_size(std::uint64_t components, bool compacted) const {
  constexpr std::uint32_t kLegacyAndHeader = 512 + 64, kAlignedInEcx = 2;
  std::uint32_t size = kLegacyAndHeader;
  for (std::uint32_t i = 2; i < 63; ++i) {
    if (!(components & bit(i))) continue;
    const auto component = module_->native(kXsaveLeaf, i);
    if (!compacted) {
      size = std::max(size, component.ebx + component.eax);
      continue;
    }
    if (component.ecx & kAlignedInEcx) size = (size + 63) & ~63U;
    size += component.eax;
  }
  return size;
}

}  // namespace virttdx::softhost
