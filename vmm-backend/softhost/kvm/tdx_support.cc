// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/tdx_support.h"

#include "tdx/tdx_spec.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint32_t kHle = 1U << 4, kRtm = 1U << 11;  // CPUID 7.0 EBX
constexpr std::uint32_t kWaitpkg = 1U << 5;               // CPUID 7.0 ECX
constexpr std::uint32_t kGuestPhysicalBits = 0x00FF0000;  // CPUID 0x80000008 EAX

}  // namespace

std::uint64_t supported_attributes(const HostParts& host) {
  return host.module.attributes_fixed0() & host.processor.kvm_attributes;
}

std::vector<kvm::kvm_cpuid_entry2> configurable_cpuid(const TdxModule& module) {
  std::vector<kvm::kvm_cpuid_entry2> entries;
  for (const auto& config : module.cpuid_config_table()) {
    if (!config.offered) continue;
    kvm::kvm_cpuid_entry2 entry{};
    entry.function = config.leaf;
    entry.index = config.subleaf == tdx::kNoSubleaf ? 0 : config.subleaf;
    entry.eax = config.configurable.eax;
    entry.ebx = config.configurable.ebx;
    entry.ecx = config.configurable.ecx;
    entry.edx = config.configurable.edx;
    if (entry.function == 7 && entry.index == 0) {
      entry.ebx &= ~(kHle | kRtm);
      entry.ecx &= ~kWaitpkg;
    }
    if (entry.function == 0x80000008) entry.eax |= kGuestPhysicalBits;
    entries.push_back(entry);
  }
  return entries;
}

bool has_unsupported_cpuid_bit(const kvm::kvm_cpuid_entry2& entry) {
  return entry.function == 7 && entry.index == 0 &&
         ((entry.ebx & (kHle | kRtm)) != 0 || (entry.ecx & kWaitpkg) != 0);
}

const kvm::kvm_cpuid_entry2* find_cpuid_entry(std::span<const kvm::kvm_cpuid_entry2> entries,
                                              std::uint32_t function, std::uint32_t index) {
  for (const auto& entry : entries) {
    const bool index_matters = (entry.flags & kvm::KVM_CPUID_FLAG_SIGNIFCANT_INDEX) != 0;
    if (entry.function == function && (!index_matters || entry.index == index)) return &entry;
  }
  return nullptr;
}

}  // namespace virttdx::softhost
