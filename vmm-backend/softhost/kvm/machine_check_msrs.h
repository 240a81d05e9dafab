// SPDX-License-Identifier: GPL-2.0-or-later
// Machine check registers of a vCPU: nothing ever reports an error there, but guests set up what KVM shows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace virttdx::softhost {

/// Who accesses an MSR: the guest, or the VMM by KVM_GET_MSRS and KVM_SET_MSRS, which may more.
enum class MsrAccess : std::uint8_t { Guest, Vmm };

/// IA32_MCG_*, IA32_MCi_* and IA32_MCi_CTL2 as get_msr_mce() and set_msr_mce() of Linux'
/// arch/x86/kvm/x86.c keep them. Belongs to the vCPU's thread.
class MachineCheckMsrs {
 public:
  static constexpr unsigned kBanks = 32;
  static constexpr std::uint64_t kControlPresent = 1U << 8, kCmciPresent = 1U << 10, kSerPresent = 1U << 24,
                                 kLmcePresent = 1U << 27;  ///< of IA32_MCG_CAP
  static constexpr std::uint64_t kSupported = kControlPresent | kCmciPresent | kSerPresent | kLmcePresent;

  /// KVM_X86_SETUP_MCE: false when `capabilities`, an IA32_MCG_CAP, asks for what there is not.
  bool set_up(std::uint64_t capabilities);
  bool has_local_exceptions() const { return capabilities_ & kLmcePresent; }

  /// `index` is one of these registers, which there may be more of than this vCPU has.
  static bool owns(std::uint32_t index);
  /// Nothing: #GP.
  std::optional<std::uint64_t> read(std::uint32_t index, MsrAccess access) const;
  /// False: #GP.
  bool write(std::uint32_t index, std::uint64_t value, MsrAccess access);

 private:
  unsigned banks() const { return capabilities_ & 0xFF; }
  /// Where bank_registers_ has an IA32_MCi_* or IA32_MCi_CTL2 register of a bank that there is.
  std::optional<std::size_t> place_of(std::uint32_t index) const;
  bool allows(std::uint32_t index, std::uint64_t value, MsrAccess access) const;
  bool allows_in_bank(std::uint32_t index, std::uint64_t value, MsrAccess access) const;

  std::uint64_t capabilities_ = kBanks;
  std::uint64_t status_ = 0, control_ = 0, extended_control_ = 0;
  std::array<std::uint64_t, std::size_t{5} * kBanks>
      bank_registers_{};  // CTL, STATUS, ADDR, MISC of each; CTL2 of all
};

}  // namespace virttdx::softhost
