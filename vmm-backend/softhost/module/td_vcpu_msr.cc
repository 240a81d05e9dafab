// SPDX-License-Identifier: GPL-2.0-or-later
// MSR accesses of a TD: the module's table, and the values of MSRs that the engine has no register for.
#include <algorithm>

#include "softhost/module/td_vcpu.h"
#include "tdx/tdx_spec.h"

namespace virttdx::softhost {

namespace {

using msr::Gate;
using msr::Rule;

constexpr std::uint64_t bit(unsigned number) { return std::uint64_t{1} << number; }

constexpr std::uint32_t kSmiCount = 0x34, kBiosUpdateTrigger = 0x79, kBiosSignId = 0x8B,
                        kMiscFeaturesEnables = 0x140;
constexpr std::uint32_t kPredCmd = 0x49, kXapicDisableStatus = 0xBD, kArchCapabilities = 0x10A,
                        kFlushCmd = 0x10B, kMiscEnable = 0x1A0, kDebugctl = 0x1D9, kPat = 0x277,
                        kPerfCapabilities = 0x345, kX2apicId = 0x802, kXss = 0xDA0;

// RDCL_NO, IBRS_ALL, SKIP_L1DFL_VMENTRY, MDS_NO, IF_PSCHANGE_MC_NO, TAA_NO, SBDR_SSDP_NO, FBSDP_NO, PSDP_NO,
// XAPIC_DISABLE_STATUS: an interpreted processor has none of these weaknesses.
constexpr std::uint64_t kArchCapabilitiesValue =
    bit(0) | bit(1) | bit(3) | bit(5) | bit(6) | bit(8) | bit(13) | bit(14) | bit(15) | bit(21);
// Fast strings, BTS and PEBS unavailable.
constexpr std::uint64_t kMiscEnableValue = bit(0) | bit(11) | bit(12);
constexpr std::uint64_t kPatAtReset = 0x0007040600070406;

// TSC, SYSENTER, EFER .. FMASK, segment bases, TSC_AUX.
bool engine_owns(std::uint32_t index) {
  return index == 0x10 || (index >= 0x174 && index <= 0x176) ||
         (index >= 0xC0000080 && index <= 0xC0000084) || (index >= 0xC0000100 && index <= 0xC0000103);
}
bool apic_owns(std::uint32_t index) { return index >= 0x800 && index <= 0x83F; }

const msr::Range* find_range(std::uint32_t index) {
  const auto& ranges = msr::kRanges;
  const auto found = std::lower_bound(ranges.begin(), ranges.end(), index,
                                      [](const msr::Range& r, std::uint32_t i) { return r.last < i; });
  return found != ranges.end() && found->first <= index ? found : nullptr;
}

FeatureLeaves feature_leaves(const Td& td) { return {*td.cpuid().value(1, 0), *td.cpuid().value(7, 0)}; }

bool valid_pat(std::uint64_t value) {
  for (int i = 0; i < 8; ++i, value >>= 8) {
    const auto type = value & 0xFF;
    if (type > 7 || type == 2 || type == 3) return false;
  }
  return true;
}

// Where a gate's bit lies: XFAM, ATTRIBUTES, or the TD's virtual CPUID.
enum class Source : std::uint8_t { kXfam, kAttributes, kCpuid };
struct GateBit {
  Gate gate;
  Source source;
  std::uint32_t leaf, subleaf;
  std::uint32_t CpuidValue::*register_;
  unsigned bit;  // of CPUID: one that the TD may decide over (ve_reduction.h)
};
constexpr GateBit kGateBits[] = {
    {Gate::kPerfmon, Source::kAttributes, 0, 0, nullptr, tdx::attribute::kPerfmon},
    {Gate::kPks, Source::kAttributes, 0, 0, nullptr, tdx::attribute::kPks},
    {Gate::kPt, Source::kXfam, 0, 0, nullptr, tdx::xfam::kPt},
    {Gate::kCet, Source::kXfam, 0, 0, nullptr, tdx::xfam::kCetU},
    {Gate::kUintr, Source::kXfam, 0, 0, nullptr, tdx::xfam::kUintr},
    {Gate::kLbr, Source::kXfam, 0, 0, nullptr, tdx::xfam::kLbr},
    {Gate::kXfd, Source::kCpuid, 0xD, 1, &CpuidValue::eax, 4},  // the bit is 0 without XFAM's AMX
    {Gate::kWaitpkg, Source::kCpuid, 7, 0, &CpuidValue::ecx, 5},
    {Gate::kTsx, Source::kCpuid, 7, 0, &CpuidValue::ebx, 11},
    {Gate::kPconfig, Source::kCpuid, 7, 0, &CpuidValue::edx, 18},
    {Gate::kDca, Source::kCpuid, 1, 0, &CpuidValue::ecx, 18},
    {Gate::kTme, Source::kCpuid, 7, 0, &CpuidValue::ecx, 13},
    {Gate::kTscDeadline, Source::kCpuid, 1, 0, &CpuidValue::ecx, 24},
};

}  // namespace

bool TdVcpu::has_feature(Gate gate) const {
  const auto found = std::find_if(std::begin(kGateBits), std::end(kGateBits),
                                  [gate](const GateBit& candidate) { return candidate.gate == gate; });
  if (found == std::end(kGateBits)) return true;  // Gate::kNone
  switch (found->source) {
    case Source::kXfam:
      return td_.parameters().xfam & bit(found->bit);
    case Source::kAttributes:
      return td_.parameters().attributes & bit(found->bit);
    case Source::kCpuid:
      break;
  }
  const auto value = with_features(found->leaf, found->subleaf,
                                   *td_.cpuid().value(found->leaf, found->subleaf), td_.controls());
  return value.*(found->register_) & bit(found->bit);
}

// Native and Continue (emulated) are for the caller to fulfil.
Outcome TdVcpu::apply(Rule rule, Gate gate) const {
  switch (rule) {
    case Rule::kNative:
      return Outcome::Native;
    case Rule::kGp:
      return Outcome::GeneralProtection;
    case Rule::kVe:
      return Outcome::Ve;
    case Rule::kEmulated:
      return Outcome::Continue;
    case Rule::kNativeIfElseGp:
      return has_feature(gate) ? Outcome::Native : Outcome::GeneralProtection;
    case Rule::kNativeIfElseEmulated:
      return has_feature(gate) ? Outcome::Native : Outcome::Continue;
    case Rule::kVeIfElseGp:
      return has_feature(gate) ? Outcome::Ve : Outcome::GeneralProtection;
  }
  return Outcome::Ve;
}

Outcome TdVcpu::read_msr(std::uint32_t index, std::uint64_t& value) const {
  const auto* range = find_range(index);
  if (!range) return read_reduced(index, value);
  const auto outcome = apply(range->read, range->gate);
  if (outcome == Outcome::Continue) return read_emulated(index, value);
  if (outcome != Outcome::Native || engine_owns(index) || apic_owns(index)) return outcome;
  if (index == kPredCmd || index == kFlushCmd) return Outcome::GeneralProtection;  // write-only
  value = stored_msr(index);
  return Outcome::Continue;
}

Outcome TdVcpu::write_msr(std::uint32_t index, std::uint64_t value) {
  const auto* range = find_range(index);
  if (!range || index == kMiscEnable) return write_reduced(index, value);
  const auto outcome = apply(range->write, range->gate);
  // EFER is the engine's; write_efer() decides over it before.
  if (outcome == Outcome::Continue && engine_owns(index)) return Outcome::Native;
  if (outcome == Outcome::Continue) return write_emulated(index, value);
  if (outcome != Outcome::Native || engine_owns(index) || apic_owns(index)) return outcome;
  return write_native(index, value);
}

Outcome TdVcpu::read_reduced(std::uint32_t index, std::uint64_t& value) const {
  const auto controls = td_.controls();
  if (!controls.reduces_ve()) return Outcome::Ve;
  const auto kind = reduced_msr(index, controls, feature_leaves(td_));
  if (kind == ReducedMsr::Ve) return Outcome::Ve;
  const auto answer = reduced_msr_value(index);
  if (kind == ReducedMsr::Absent || !answer) return Outcome::GeneralProtection;
  const auto written = msrs_.find(index);
  value = written != msrs_.end() ? written->second : *answer;
  return Outcome::Continue;
}

Outcome TdVcpu::write_reduced(std::uint32_t index, std::uint64_t value) {
  const auto controls = td_.controls();
  if (!controls.reduces_ve() || reduced_msr(index, controls, feature_leaves(td_)) == ReducedMsr::Ve)
    return Outcome::Ve;
  switch (index) {
    case kSmiCount:
      msrs_[index] = value;
      return Outcome::Continue;
    case kBiosUpdateTrigger:
    case kBiosSignId:
      return Outcome::Continue;
    case kMiscFeaturesEnables:
      return value == 0 ? Outcome::Continue : Outcome::GeneralProtection;
    case kMiscEnable:
      return write_misc_enable(value);
    default:
      return Outcome::GeneralProtection;
  }
}

Outcome TdVcpu::write_misc_enable(std::uint64_t value) {
  constexpr std::uint64_t kEst = bit(16), kMonitor = bit(18), kLimitCpuid = bit(22), kTprMessages = bit(23),
                          kReadOnly = bit(7) | bit(11) | bit(12), kReserved = 0xFFFFFFFFFF3AE776;
  const auto leaf1 = with_features(1, 0, *td_.cpuid().value(1, 0), td_.controls()).ecx;
  constexpr std::uint32_t kEstInLeaf1Ecx = 1U << 7, kXtprInLeaf1Ecx = 1U << 14;
  const auto old = stored_msr(kMiscEnable);
  if (value & kReserved || (value & kEst && !(leaf1 & kEstInLeaf1Ecx))) return Outcome::GeneralProtection;
  if ((value ^ old) & kMonitor || value & kLimitCpuid) return Outcome::Ve;
  if (value & kTprMessages && !(leaf1 & kXtprInLeaf1Ecx)) return Outcome::GeneralProtection;
  msrs_[kMiscEnable] = (value & ~kReadOnly) | (old & kReadOnly);
  return Outcome::Continue;
}

Outcome TdVcpu::read_emulated(std::uint32_t index, std::uint64_t& value) const {
  switch (index) {
    case kXapicDisableStatus:
      value = 1;
      return Outcome::Continue;
    case kArchCapabilities:
      value = kArchCapabilitiesValue;
      return Outcome::Continue;
    case kMiscEnable:
    case kDebugctl:
      value = stored_msr(index);
      return Outcome::Continue;
    case kPerfCapabilities:
      value = 0;
      return Outcome::Continue;
    case kX2apicId:
      if (!(td_.controls().td_ctls & bit(tdx::td_control::kEnumTopology))) return Outcome::Ve;
      value = x2apic_id_;
      return Outcome::Continue;
    default:  // VMX capabilities: there is no TD partitioning here
      return Outcome::GeneralProtection;
  }
}

Outcome TdVcpu::write_emulated(std::uint32_t index, std::uint64_t value) {
  if (index == kDebugctl) return write_debugctl(value);
  if (index != kXss || value & ~(td_.parameters().xfam & tdx::xfam::kXssMask))
    return Outcome::GeneralProtection;
  msrs_[kXss] = value;
  return Outcome::Continue;
}

Outcome TdVcpu::write_debugctl(std::uint64_t value) {
  constexpr std::uint64_t kLbr = bit(0), kBtf = bit(1), kBld = bit(2), kTr = bit(6), kBts = bit(7),
                          kFreezeInSmm = bit(14), kRtm = bit(15);
  constexpr std::uint64_t kDefined =
      kLbr | kBtf | kBld | kTr | kBts | bit(8) | bit(9) | bit(10) | bit(11) | bit(12) | kFreezeInSmm | kRtm;
  if (value & ~kDefined) return Outcome::GeneralProtection;
  if (value & kTr && !(value & kBts)) return Outcome::Ve;
  if ((value & kFreezeInSmm && !has_feature(Gate::kPerfmon)) || (value & kRtm && !has_feature(Gate::kTsx)))
    return Outcome::GeneralProtection;
  msrs_[kDebugctl] = value;
  return Outcome::Continue;
}

Outcome TdVcpu::write_native(std::uint32_t index, std::uint64_t value) {
  const bool read_only = index == kXapicDisableStatus || index == kArchCapabilities;
  if (read_only || (index == kPat && !valid_pat(value))) return Outcome::GeneralProtection;
  // Commands leave no value behind, and an interpreter has no predictor or cache to clear.
  if (index != kPredCmd && index != kFlushCmd) msrs_[index] = value;
  return Outcome::Continue;
}

std::uint64_t TdVcpu::stored_msr(std::uint32_t index) const {
  const auto found = msrs_.find(index);
  if (found != msrs_.end()) return found->second;
  if (index == kMiscEnable) return kMiscEnableValue;
  return index == kPat ? kPatAtReset : 0;
}

}  // namespace virttdx::softhost
