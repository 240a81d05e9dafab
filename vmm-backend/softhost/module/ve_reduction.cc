// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/module/ve_reduction.h"

#include <algorithm>
#include <array>

namespace virttdx::softhost {
namespace {

using namespace tdx::feature_paravirt;

struct FeatureBit {
  std::uint32_t leaf;
  std::uint32_t CpuidValue::*register_;
  unsigned bit;
  unsigned feature;
  bool always;  // 1 in a TD that does not reduce #VE, whatever its CPUID was configured to
};
constexpr std::array kFeatureBits = {
    FeatureBit{1, &CpuidValue::ecx, 7, kEst, false},
    FeatureBit{1, &CpuidValue::ecx, 8, kTm2, false},
    FeatureBit{1, &CpuidValue::ecx, 18, kDca, false},
    FeatureBit{1, &CpuidValue::ecx, 24, kTscDeadline, false},
    FeatureBit{1, &CpuidValue::edx, 14, kMca, true},  // MCA, whose MSRs they are
    FeatureBit{1, &CpuidValue::edx, 7, kMca, true},   // MCE
    FeatureBit{1, &CpuidValue::edx, 12, kMtrr, true},
    FeatureBit{1, &CpuidValue::edx, 22, kAcpi, false},
    FeatureBit{7, &CpuidValue::ebx, 12, kRdtM, false},
    FeatureBit{7, &CpuidValue::ebx, 15, kRdtA, false},
    FeatureBit{7, &CpuidValue::ecx, 13, kTme, false},
    FeatureBit{7, &CpuidValue::edx, 18, kPconfig, false},
    FeatureBit{7, &CpuidValue::edx, 30, kCoreCapabilities, true},
};

// The MSRs of each feature are the SDM's (volume 4, table 2-2).
struct MsrFeature {
  std::uint32_t first, last;
  unsigned feature;
};
constexpr std::array kMsrFeatures = {
    MsrFeature{0xCF, 0xCF, kCoreCapabilities},  // IA32_CORE_CAPABILITIES
    MsrFeature{0xFE, 0xFE, kMtrr},              // IA32_MTRRCAP
    MsrFeature{0x179, 0x17B, kMca},             // IA32_MCG_CAP .. IA32_MCG_CTL
    MsrFeature{0x198, 0x199, kEst},             // IA32_PERF_STATUS, IA32_PERF_CTL
    MsrFeature{0x19A, 0x19C, kAcpi},            // IA32_CLOCK_MODULATION .. IA32_THERM_STATUS
    MsrFeature{0x19D, 0x19D, kTm2},             // IA32_THERM2_CTL
    MsrFeature{0x200, 0x26F, kMtrr},            // IA32_MTRR_PHYSBASE0 .. IA32_MTRR_FIX4K_F8000
    MsrFeature{0x280, 0x29F, kMca},             // IA32_MCi_CTL2
    MsrFeature{0x2FF, 0x2FF, kMtrr},            // IA32_MTRR_DEF_TYPE
    MsrFeature{0x400, 0x47F, kMca},             // IA32_MCi_CTL .. IA32_MCi_MISC
    MsrFeature{0x4D0, 0x4D0, kMca},             // IA32_MCG_EXT_CTL
    MsrFeature{0xC81, 0xC83, kRdtA},            // IA32_L3_QOS_CFG .. IA32_L2_QOS_CFG
    MsrFeature{0xC8D, 0xC8E, kRdtM},            // IA32_QM_EVTSEL, IA32_QM_CTR
    MsrFeature{0xC8F, 0xC8F, kRdtA},            // IA32_PQR_ASSOC
    MsrFeature{0xC90, 0xD8F, kRdtA},            // capacity masks and bandwidth limits
};

// What no configuration of the TD takes the #VE from: IA32_PLATFORM_ID, IA32_APIC_BASE, and the registers of
// the local APIC that the processor does not virtualise.
struct MsrRange {
  std::uint32_t first, last;
};
constexpr std::array kAlwaysVe = {
    MsrRange{0x17, 0x17},   MsrRange{0x1B, 0x1B},   MsrRange{0x803, 0x803},
    MsrRange{0x80D, 0x80D}, MsrRange{0x80F, 0x80F}, MsrRange{0x828, 0x828},
    MsrRange{0x82F, 0x830}, MsrRange{0x832, 0x839}, MsrRange{0x83E, 0x83E},
};

struct EmulatedMsr {
  std::uint32_t index;
  std::optional<std::uint64_t> value;
};
constexpr std::array kEmulated = {
    EmulatedMsr{0x34, 0},             // MSR_SMI_COUNT
    EmulatedMsr{0x3A, 1},             // IA32_FEATURE_CONTROL: locked
    EmulatedMsr{0x4E, 1},             // MSR_PPIN_CTL: locked
    EmulatedMsr{0x79, std::nullopt},  // IA32_BIOS_UPDT_TRIG
    EmulatedMsr{0x8B, 0xFFFFFFFF},    // IA32_BIOS_SIGN_ID
    EmulatedMsr{0xCE, 0},             // MSR_PLATFORM_INFO
    EmulatedMsr{0x140, 0},            // MSR_MISC_FEATURES_ENABLES
    EmulatedMsr{0x1A0, 0},            // IA32_MISC_ENABLE: msr_spec.h lists its read
};

const EmulatedMsr* find_emulated(std::uint32_t index) {
  const auto* const found = std::ranges::find(kEmulated, index, &EmulatedMsr::index);
  return found == kEmulated.end() ? nullptr : found;
}

bool has_feature(unsigned feature, const TdControls& controls, const FeatureLeaves& cpuid) {
  const auto* const bit = std::ranges::find(kFeatureBits, feature, &FeatureBit::feature);
  const auto& value = bit->leaf == 1 ? cpuid.leaf1 : cpuid.leaf7;
  return controls.handles(feature) && value.*bit->register_ >> bit->bit & 1;
}

// MSRs beyond the processor's bitmaps exit as ever.
bool in_bitmap(std::uint32_t index) {
  constexpr std::uint32_t kHighFirst = 0xC0000000, kSize = 0x2000;
  return index < kSize || (index >= kHighFirst && index < kHighFirst + kSize);
}

}  // namespace

CpuidValue with_features(std::uint32_t leaf, std::uint32_t subleaf, CpuidValue value,
                         const TdControls& controls) {
  for (const auto& feature : kFeatureBits) {
    if (feature.leaf != leaf || (leaf == 7 && subleaf != 0)) continue;
    auto& bits = value.*feature.register_;
    const std::uint32_t mask = 1U << feature.bit;
    if (!controls.handles(feature.feature)) bits &= ~mask;
    if (feature.always && !controls.reduces_ve()) bits |= mask;
  }
  return value;
}

ReducedMsr reduced_msr(std::uint32_t index, const TdControls& controls, const FeatureLeaves& cpuid) {
  const auto holds = [index](const auto& range) { return index >= range.first && index <= range.last; };
  if (!in_bitmap(index) || std::ranges::any_of(kAlwaysVe, holds)) return ReducedMsr::Ve;
  if (find_emulated(index) != nullptr) return ReducedMsr::Emulated;
  const auto* const feature = std::ranges::find_if(kMsrFeatures, holds);
  const bool handled = feature != kMsrFeatures.end() && has_feature(feature->feature, controls, cpuid);
  return handled ? ReducedMsr::Ve : ReducedMsr::Absent;
}

std::optional<std::uint64_t> reduced_msr_value(std::uint32_t index) {
  const auto* const emulated = find_emulated(index);
  return emulated != nullptr ? emulated->value : std::nullopt;
}

}  // namespace virttdx::softhost
