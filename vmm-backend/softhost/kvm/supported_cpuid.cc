// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/supported_cpuid.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "softhost/kvm/caller_memory.h"
#include "softhost/kvm/cpuid_argument.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint32_t kKvmSignatureLeaf = 0x40000000, kKvmFeaturesLeaf = 0x40000001;
// "KVMKVMKVM\0\0\0" in EBX, ECX, EDX (Linux Documentation/virt/kvm/x86/cpuid.rst).
constexpr CpuidValue kKvmSignature = {
    .eax = kKvmFeaturesLeaf, .ebx = 0x4B4D564B, .ecx = 0x564B4D56, .edx = 0x4D};
// NOP_IO_DELAY (1) and MSI_EXT_DEST_ID (15): what holds in every VM of this host. The others need MSRs or
// hypercalls that it does not have.
constexpr std::uint32_t kKvmFeatures = 1U << 1 | 1U << 15;
constexpr std::uint32_t kHypervisorBit = 1U << 31;  // CPUID 1 ECX
constexpr std::uint32_t kX2apicBit = 1U << 21, kTscDeadlineBit = 1U << 24;

/// Leaves with sub-leaves and the last one of each that is listed.
struct Subleaves {
  std::uint32_t leaf, last;
};
constexpr std::array kSubleaves = {Subleaves{0x4, 4},  Subleaves{0x7, 2},  Subleaves{0xB, 1},
                                   Subleaves{0xD, 18}, Subleaves{0x14, 1}, Subleaves{0x1D, 1},
                                   Subleaves{0x1E, 0}, Subleaves{0x1F, 2}};

kvm::kvm_cpuid_entry2 make_entry(std::uint32_t function, std::uint32_t index, bool significant,
                                 CpuidValue value) {
  kvm::kvm_cpuid_entry2 entry{};
  entry.function = function;
  entry.index = index;
  entry.flags = significant ? kvm::KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0;
  entry.eax = value.eax;
  entry.ebx = value.ebx;
  entry.ecx = value.ecx;
  entry.edx = value.edx;
  return entry;
}

void add_leaf(const TdxModule& module, std::uint32_t leaf, std::vector<kvm::kvm_cpuid_entry2>& entries) {
  const auto* const found = std::find_if(kSubleaves.begin(), kSubleaves.end(),
                                         [&](const Subleaves& with) { return with.leaf == leaf; });
  if (found == kSubleaves.end()) {
    CpuidValue value = module.native(leaf, 0);
    if (leaf == 1) value.ecx |= kHypervisorBit | kX2apicBit | kTscDeadlineBit;
    entries.push_back(make_entry(leaf, 0, false, value));
    return;
  }
  for (std::uint32_t index = 0; index <= found->last; ++index)
    entries.push_back(make_entry(leaf, index, true, module.native(leaf, index)));
}

void add_leaves(const TdxModule& module, std::uint32_t first, std::vector<kvm::kvm_cpuid_entry2>& entries) {
  constexpr std::uint32_t kMostLeaves = 0x40;
  const std::uint32_t last = std::min(module.native(first, 0).eax, first + kMostLeaves);
  for (std::uint32_t leaf = first; leaf <= last; ++leaf) add_leaf(module, leaf, entries);
}

std::vector<kvm::kvm_cpuid_entry2> recorded(const CpuidEntries& cpuid) {
  std::vector<kvm::kvm_cpuid_entry2> entries;
  for (const CpuidEntry& entry : cpuid)
    entries.push_back(make_entry(entry.function, entry.index, entry.index_significant,
                                 {entry.eax, entry.ebx, entry.ecx, entry.edx}));
  return entries;
}

std::vector<kvm::kvm_cpuid_entry2> of_processor(const HostParts& host) {
  std::vector<kvm::kvm_cpuid_entry2> entries;
  add_leaves(host.module, 0, entries);
  add_leaves(host.module, 0x80000000, entries);
  entries.push_back(make_entry(kKvmSignatureLeaf, 0, false, kKvmSignature));
  entries.push_back(make_entry(kKvmFeaturesLeaf, 0, false, {.eax = kKvmFeatures}));
  return entries;
}

}  // namespace

int get_supported_cpuid(HostParts& host, std::uintptr_t argument) {
  const auto& profile = host.processor.supported_cpuid;
  const auto entries = profile.empty() ? of_processor(host) : recorded(profile);
  return write_cpuid_entries(argument, entries, /*tell_count=*/false);
}

}  // namespace virttdx::softhost
