// SPDX-License-Identifier: GPL-2.0-or-later
#include "plan/xfam.h"

#include <algorithm>
#include <array>

#include "vmm_backend/tdx_cpuid_classes.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::uint64_t kAvx = 0x4, kAvx512 = 0xE0, kPt = 0x100, kPkru = 0x200, kCet = 0x1800,
                        kUintr = 0x4000, kLbr = 0x8000, kAmx = 0x60000;
constexpr std::uint64_t kXcr0 = 0x602FF, kXss = 0x1FD00;

constexpr std::array kBits = {
    XfamBit{0, "X87", true},       XfamBit{1, "SSE", true},      XfamBit{2, "AVX", true},
    XfamBit{3, "BNDREGS", false},  XfamBit{4, "BNDCSR", false},  XfamBit{5, "AVX-512 opmask", true},
    XfamBit{6, "ZMM_Hi256", true}, XfamBit{7, "Hi16_ZMM", true}, XfamBit{8, "PT", true},
    XfamBit{9, "PKRU", true},      XfamBit{10, "PASID", false},  XfamBit{11, "CET_U", true},
    XfamBit{12, "CET_S", true},    XfamBit{13, "HDC", false},    XfamBit{14, "UINTR", true},
    XfamBit{15, "LBR", true},      XfamBit{16, "HWP", false},    XfamBit{17, "TILECFG", true},
    XfamBit{18, "TILEDATA", true},
};

struct Group {
  std::uint64_t bits;   // all or none
  std::uint64_t needs;  // other groups
};
constexpr std::array kGroups = {
    Group{kAvx, 0}, Group{kAvx512, kAvx}, Group{kPt, 0},  Group{kPkru, 0},
    Group{kCet, 0}, Group{kUintr, 0},     Group{kLbr, 0}, Group{kAmx, 0},
};

struct FeatureState {
  std::string_view feature;
  std::uint64_t xfam;
};
constexpr std::array kFeatureStates = {
    FeatureState{"avx", kAvx},     FeatureState{"avx512f", kAvx512}, FeatureState{"intel-pt", kPt},
    FeatureState{"pku", kPkru},    FeatureState{"shstk", kCet},      FeatureState{"ibt", kCet},
    FeatureState{"uintr", kUintr}, FeatureState{"arch-lbr", kLbr},   FeatureState{"amx-tile", kAmx},
};

constexpr auto kFeatureNames = [] {
  std::array<std::string_view, kFeatureStates.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kFeatureStates[i].feature;
  return names;
}();

// Sub-leaf n of 0xD describes state n; XCR0 and IA32_XSS say which there are.
void apply_to_leaf_d(CpuidEntry& entry, std::uint64_t xfam) {
  if (entry.index == 0) entry.eax &= static_cast<std::uint32_t>(xfam & kXcr0), entry.edx = 0;
  if (entry.index == 1) entry.ecx &= static_cast<std::uint32_t>(xfam & kXss), entry.edx = 0;
  if (entry.index >= 2 && (entry.index >= 64 || (xfam >> entry.index & 1) == 0))
    entry.eax = entry.ebx = entry.ecx = entry.edx = 0;
}

}  // namespace

std::span<const XfamBit> xfam_bits() { return kBits; }

std::string_view xfam_name(unsigned bit) {
  const auto found = std::ranges::find(kBits, bit, &XfamBit::bit);
  return found == kBits.end() ? "reserved" : found->name;
}

std::span<const std::string_view> xfam_features() { return kFeatureNames; }

std::uint64_t valid_xfam(std::uint64_t offered) {
  std::uint64_t xfam = kXfamFixed1;
  for (const auto& group : kGroups)
    if ((offered & group.bits) == group.bits && (xfam & group.needs) == group.needs) xfam |= group.bits;
  return xfam;
}

std::uint64_t xfam_of_feature(std::string_view feature) {
  for (const auto& state : kFeatureStates)
    if (state.feature == feature) return state.xfam;
  return 0;
}

void close_gates(CpuidEntries& entries, std::uint64_t xfam, std::uint64_t attributes) {
  for (auto& entry : entries) {
    if (entry.function == 0xD) apply_to_leaf_d(entry, xfam);
    for (const auto reg : kCpuidRegisters)
      entry.set(
          reg, entry.get(reg) & ~tdx_cpuid_register(entry.function, entry.index, reg, xfam, attributes).shut);
  }
}

}  // namespace virttdx::domain_xml
