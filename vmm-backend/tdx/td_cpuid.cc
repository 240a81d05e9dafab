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

CpuidEntries cpuid_of_vcpu(const CpuidEntries& common, std::uint32_t x2apic_id) {
  CpuidEntries entries = common;
  for (CpuidEntry& entry : entries) {
    if (entry.function == kFeatures)
      entry.ebx = (entry.ebx & ((1U << kInitialApicIdShift) - 1)) | x2apic_id << kInitialApicIdShift;
    if (entry.function == kTopology || entry.function == kTopologyV2) entry.edx = x2apic_id;
  }
  return entries;
}

CpuidEntries deviating_leaves(const CpuidEntries& first, const CpuidEntries& other) {
  const CpuidEntries alike = cpuid_of_vcpu(first, 0);
  CpuidEntries deviating;
  for (const CpuidEntry& entry : other) {
    const CpuidEntry* const expected = find_cpuid(alike, entry.function, entry.index);
    if (expected == nullptr || *expected != cpuid_of_vcpu({entry}, 0).front()) deviating.push_back(entry);
  }
  return deviating;
}

std::uint32_t gpaw_of(const CpuidEntries& entries) {
  const CpuidEntry* const sizes = find_cpuid(entries, kAddressSizes, 0);
  return sizes == nullptr ? 0 : sizes->eax >> 16 & 0xFF;
}

}  // namespace virttdx
