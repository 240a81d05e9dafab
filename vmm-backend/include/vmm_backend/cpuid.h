// SPDX-License-Identifier: GPL-2.0-or-later
// CPUID leaves as plain data (KVM's struct kvm_cpuid_entry2, Linux Documentation/virt/kvm/api.rst).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <vector>

namespace virttdx {

enum class CpuidRegister : std::uint8_t { Eax, Ebx, Ecx, Edx };
inline constexpr std::array kCpuidRegisters = {CpuidRegister::Eax, CpuidRegister::Ebx, CpuidRegister::Ecx,
                                               CpuidRegister::Edx};

/// One leaf or sub-leaf.
struct CpuidEntry {
  std::uint32_t function = 0;
  std::uint32_t index = 0;
  /// KVM_CPUID_FLAG_SIGNIFCANT_INDEX: the entry answers for this index only. KVM_TDX_CAPABILITIES never sets
  /// it.
  bool index_significant = false;
  std::uint32_t eax = 0;
  std::uint32_t ebx = 0;
  std::uint32_t ecx = 0;
  std::uint32_t edx = 0;

  std::uint32_t get(CpuidRegister name) const {
    switch (name) {
      case CpuidRegister::Eax:
        return eax;
      case CpuidRegister::Ebx:
        return ebx;
      case CpuidRegister::Ecx:
        return ecx;
      case CpuidRegister::Edx:
        return edx;
    }
    return 0;
  }
  void set(CpuidRegister name, std::uint32_t value) {
    switch (name) {
      case CpuidRegister::Eax:
        eax = value;
        break;
      case CpuidRegister::Ebx:
        ebx = value;
        break;
      case CpuidRegister::Ecx:
        ecx = value;
        break;
      case CpuidRegister::Edx:
        edx = value;
        break;
    }
  }
  bool operator==(const CpuidEntry&) const = default;
};

using CpuidEntries = std::vector<CpuidEntry>;

/// The entry of a leaf and sub-leaf, matched on both numbers whatever its flag; null when there is none.
inline const CpuidEntry* find_cpuid(std::span<const CpuidEntry> entries, std::uint32_t function,
                                    std::uint32_t index) {
  for (const auto& entry : entries)
    if (entry.function == function && entry.index == index) return &entry;
  return nullptr;
}

}  // namespace virttdx
