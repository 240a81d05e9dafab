// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/system_register_checks.h"

#include <array>

#include "softhost/kvm/vcpu.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint64_t kPe = 1, kNw = 1 << 29, kCd = 1 << 30, kPg = 1U << 31;  // CR0
constexpr std::uint64_t kPae = 1 << 5;                                          // CR4
constexpr std::uint64_t kLme = 1 << 8, kLma = 1 << 10;                          // EFER

/// A bit of CR4 that exists where a CPUID bit says so (Intel SDM volume 3, section 2.5).
struct Cr4Feature {
  unsigned bit;
  std::uint32_t leaf;
  std::uint32_t CpuidValue::*reg;
  unsigned cpuid_bit;
};
constexpr std::array kCr4Features = {
    Cr4Feature{11, 7, &CpuidValue::ecx, 2},   // UMIP
    Cr4Feature{12, 7, &CpuidValue::ecx, 16},  // LA57
    Cr4Feature{16, 7, &CpuidValue::ebx, 0},   // FSGSBASE
    Cr4Feature{17, 1, &CpuidValue::ecx, 17},  // PCIDE
    Cr4Feature{18, 1, &CpuidValue::ecx, 26},  // OSXSAVE
    Cr4Feature{20, 7, &CpuidValue::ebx, 7},   // SMEP
    Cr4Feature{21, 7, &CpuidValue::ebx, 20},  // SMAP
    Cr4Feature{22, 7, &CpuidValue::ecx, 3},   // PKE
};
constexpr std::uint64_t kCr4OfEveryProcessor = 0x7FF;  // VME to OSXMMEXCPT

bool is_valid_cr0(std::uint64_t cr0) {
  const bool paging_unprotected = (cr0 & kPg) != 0 && (cr0 & kPe) == 0;
  const bool write_through_cached = (cr0 & kNw) != 0 && (cr0 & kCd) == 0;
  return cr0 >> 32 == 0 && !paging_unprotected && !write_through_cached;
}

bool is_valid_cr4(const Vcpu& vcpu, std::uint64_t cr4) {
  std::uint64_t allowed = kCr4OfEveryProcessor;
  for (const auto& feature : kCr4Features)
    if ((vcpu_cpuid(vcpu, feature.leaf, 0).*feature.reg >> feature.cpuid_bit & 1) != 0)
      allowed |= std::uint64_t{1} << feature.bit;
  return (cr4 & ~allowed) == 0;
}

bool is_whole_mode(const kvm::kvm_sregs& registers) {
  if ((registers.efer & kLme) != 0 && (registers.cr0 & kPg) != 0)
    return (registers.cr4 & kPae) != 0 && (registers.efer & kLma) != 0;
  return (registers.efer & kLma) == 0 && registers.cs.l == 0;
}

}  // namespace

bool are_valid_system_registers(const Vcpu& vcpu, const kvm::kvm_sregs& registers) {
  return is_whole_mode(registers) && is_valid_cr4(vcpu, registers.cr4) && is_valid_cr0(registers.cr0);
}

}  // namespace virttdx::softhost
