// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/td_cpuid.h"

namespace virttdx {
namespace {

constexpr std::uint32_t kFeatures = 1;
constexpr std::uint32_t kTopology = 0xB;
constexpr std::uint32_t kTopologyV2 = 0x1F;
constexpr std::uint32_t kAddressSizes = 0x80000008;
constexpr std::uint32_t kInitialApicIdShift = 24;

}  // namespace

CpuidEntries cpuid_of_vcpu(const CpuidEntries& common, std::uint32_t vcpu) {
  CpuidEntries entries = common;
  for (CpuidEntry& entry : entries) {
    if (entry.function == kFeatures)
      entry.ebx = (entry.ebx & ((1U << kInitialApicIdShift) - 1)) | vcpu << kInitialApicIdShift;
    if (entry.function == kTopology || entry.function == kTopologyV2) entry.edx = vcpu;
  }
  return entries;
}

std::uint32_t gpaw_of(const CpuidEntries& entries) {
  const CpuidEntry* const sizes = find_cpuid(entries, kAddressSizes, 0);
  return sizes == nullptr ? 0 : sizes->eax >> 16 & 0xFF;
}

}  // namespace virttdx
