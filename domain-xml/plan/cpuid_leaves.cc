// SPDX-License-Identifier: GPL-2.0-or-later
#include "plan/cpuid_leaves.h"

#include <algorithm>

namespace virttdx::domain_xml {
namespace {

constexpr std::uint32_t kKvmSignatureLeaf = 0x40000000, kKvmFeaturesLeaf = 0x40000001, kTscLeaf = 0x15,
                        kTdxSignatureLeaf = 0x21;
constexpr std::uint32_t kAddressLeaf = 0x80000008;
constexpr std::uint32_t kX2Apic = 1U << 21;  // CPUID.01H:ECX

// KVM_FEATURE_* (Linux Documentation/virt/kvm/x86/cpuid.rst) that work without memory shared behind the TD's
// back: NOP_IO_DELAY, PV_UNHALT, PV_TLB_FLUSH, PV_SEND_IPI, POLL_CONTROL, PV_SCHED_YIELD.
constexpr std::uint32_t kAllowedPvFeatures = 1U << 1 | 1U << 7 | 1U << 9 | 1U << 11 | 1U << 12 | 1U << 13;
// MSI_EXT_DEST_ID is the monitor's own: true with a split interrupt controller.
constexpr std::uint32_t kMsiExtDestId = 1U << 15;

bool is_hypervisor_leaf(const CpuidEntry& entry) { return entry.function >> 28 == 4; }

void put(CpuidEntries& entries, const CpuidEntry& leaf) {
  std::erase_if(entries, [&](const CpuidEntry& entry) { return entry.function == leaf.function; });
  entries.push_back(leaf);
}

// A TD's crystal runs at 25 MHz (TDX Module Base Specification, TSC virtualization).
CpuidEntry tsc_leaf(std::uint32_t tsc_khz) {
  constexpr std::uint32_t kCrystalHz = 25'000'000;
  return {.function = kTscLeaf, .eax = 1, .ebx = tsc_khz / (kCrystalHz / 1000), .ecx = kCrystalHz};
}

// "IntelTDX    ": what the TDX module shows of itself.
CpuidEntry tdx_signature() {
  return {.function = kTdxSignatureLeaf, .ebx = 0x65746E49, .ecx = 0x20202020, .edx = 0x5844546C};
}

// "KVMKVMKVM\0\0\0" and the highest leaf.
CpuidEntry kvm_signature() {
  return {.function = kKvmSignatureLeaf,
          .eax = kKvmFeaturesLeaf,
          .ebx = 0x4B4D564B,
          .ecx = 0x564B4D56,
          .edx = 0x4D};
}

CpuidEntry kvm_features(const HostCapabilities& host) {
  const auto* offered = find_cpuid(host.supported_cpuid, kKvmFeaturesLeaf, 0);
  const std::uint32_t features = offered == nullptr ? 0 : offered->eax & kAllowedPvFeatures;
  return {.function = kKvmFeaturesLeaf, .eax = features | kMsiExtDestId};
}

}  // namespace

std::uint32_t allowed_kvm_features(const HostCapabilities& host, const CpuidBit& bit) {
  return bit.function == kKvmFeaturesLeaf && bit.reg == CpuidRegister::Eax ? kvm_features(host).eax : 0;
}

CpuidEntries host_cpuid(const HostCapabilities& host) {
  CpuidEntries entries = host.supported_cpuid;
  std::erase_if(entries, is_hypervisor_leaf);
  if (const auto leaf = std::ranges::find(entries, 1U, &CpuidEntry::function); leaf != entries.end())
    leaf->ecx |= kX2Apic;
  set_tsc_frequency(entries, host.tsc_khz);
  put(entries, tdx_signature());
  put(entries, kvm_signature());
  put(entries, kvm_features(host));
  return entries;
}

void set_tsc_frequency(CpuidEntries& entries, std::uint32_t tsc_khz) { put(entries, tsc_leaf(tsc_khz)); }

void set_gpaw(CpuidEntries& entries, std::uint32_t gpaw) {
  auto leaf = std::ranges::find(entries, kAddressLeaf, &CpuidEntry::function);
  if (leaf == entries.end()) leaf = entries.insert(leaf, CpuidEntry{.function = kAddressLeaf});
  leaf->eax = (leaf->eax & ~0x00FF0000U) | gpaw << 16;
}

CpuidEntries init_vm_cpuid(const HostCapabilities& host, const CpuidEntries& wanted) {
  CpuidEntries entries;
  for (const auto& configurable : host.configurable_cpuid) {
    // KVM lists leaves without the flag, but takes an entry without it for every sub-leaf of its leaf.
    CpuidEntry entry{
        .function = configurable.function, .index = configurable.index, .index_significant = true};
    if (const auto* value = find_cpuid(wanted, entry.function, entry.index))
      for (const auto reg : kCpuidRegisters) entry.set(reg, value->get(reg) & configurable.get(reg));
    entries.push_back(entry);
  }
  return entries;
}

}  // namespace virttdx::domain_xml
