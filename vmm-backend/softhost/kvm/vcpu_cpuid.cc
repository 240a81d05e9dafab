// SPDX-License-Identifier: GPL-2.0-or-later
// KVM_SET_CPUID2, KVM_GET_CPUID2 and what KVM answers a guest from them.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "softhost/kvm/caller_memory.h"
#include "softhost/kvm/cpuid_argument.h"
#include "softhost/kvm/tdx_support.h"
#include "softhost/kvm/vcpu.h"

namespace virttdx::softhost {
namespace {

const kvm::kvm_cpuid_entry2* find_entry(const Vcpu& vcpu, std::uint32_t function, std::uint32_t index) {
  return find_cpuid_entry(vcpu.cpuid, function, index);
}

// A leaf above its class's maximum reads, on Intel, as the highest basic leaf.
std::uint32_t redirect_out_of_range(const Vcpu& vcpu, std::uint32_t function) {
  const auto* const basic = find_entry(vcpu, 0, 0);
  if (basic == nullptr) return function;
  std::uint32_t first = function & 0x80000000;
  if (function >> 28 == 4) first = function & 0xFFFFFF00;  // hypervisors' leaves
  if (function >= 0xC0000000) first = 0xC0000000;
  const auto* const maximum = find_entry(vcpu, first, 0);
  return maximum != nullptr && function <= maximum->eax ? function : basic->eax;
}

// Sub-leaves of the topology leaves above the last one still tell the x2APIC id.
CpuidValue topology_after_last(const Vcpu& vcpu, std::uint32_t function, std::uint32_t index) {
  const auto* const level = find_entry(vcpu, function, 1);
  if ((function != 0xB && function != 0x1F) || level == nullptr) return {};
  return {.eax = 0, .ebx = 0, .ecx = index & 0xFF, .edx = level->edx};
}

bool is_same(const std::vector<kvm::kvm_cpuid_entry2>& a, const std::vector<kvm::kvm_cpuid_entry2>& b) {
  return std::ranges::equal(std::as_bytes(std::span(a)), std::as_bytes(std::span(b)));
}

}  // namespace

CpuidValue vcpu_cpuid(const Vcpu& vcpu, std::uint32_t function, std::uint32_t index) {
  const auto* entry = find_entry(vcpu, function, index);
  if (entry == nullptr) {
    function = redirect_out_of_range(vcpu, function);
    entry = find_entry(vcpu, function, index);
  }
  if (entry == nullptr) return topology_after_last(vcpu, function, index);
  return {.eax = entry->eax, .ebx = entry->ebx, .ecx = entry->ecx, .edx = entry->edx};
}

int set_cpuid2(Vcpu& vcpu, std::uintptr_t argument) {
  kvm::kvm_cpuid2 header{};
  if (const int status = read_argument(argument, header); status != 0) return status;
  std::vector<kvm::kvm_cpuid_entry2> entries;
  if (const int status = read_cpuid_entries(argument + sizeof(header), header.nent, entries); status != 0)
    return status;
  for (auto& entry : entries) std::memset(entry.padding, 0, sizeof(entry.padding));
  if (vcpu.has_run) return is_same(entries, vcpu.cpuid) ? 0 : -EINVAL;
  vcpu.cpuid = std::move(entries);
  return 0;
}

int get_cpuid2(Vcpu& vcpu, std::uintptr_t argument) {
  return write_cpuid_entries(argument, vcpu.cpuid, /*tell_count=*/false);
}

}  // namespace virttdx::softhost
