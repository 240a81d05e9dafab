// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/machine_check_msrs.h"

namespace virttdx::softhost {
namespace {

// Intel SDM volume 3, "Machine-Check Architecture".
constexpr std::uint32_t kMcgCap = 0x179, kMcgStatus = 0x17A, kMcgCtl = 0x17B, kMcgExtCtl = 0x4D0;
constexpr std::uint32_t kBankRegisters = 0x400, kControl2 = 0x280;
constexpr std::uint32_t kRegistersOfABank = 4, kControlOfABank = 0, kStatusOfABank = 1;
constexpr std::uint64_t kAllOnes = ~std::uint64_t{0};

bool is_control2(std::uint32_t index) {
  return index >= kControl2 && index < kControl2 + MachineCheckMsrs::kBanks;
}
bool is_bank_register(std::uint32_t index) {
  return index >= kBankRegisters && index < kBankRegisters + kRegistersOfABank * MachineCheckMsrs::kBanks;
}

}  // namespace

bool MachineCheckMsrs::set_up(std::uint64_t capabilities) {
  constexpr std::uint64_t kBankCount = 0xFF, kExtendedCount = 0xFF0000;
  const std::uint64_t count = capabilities & kBankCount;
  if (count == 0 || count > kBanks || capabilities & ~(kSupported | kBankCount | kExtendedCount))
    return false;
  capabilities_ = capabilities;
  if (capabilities & kControlPresent) control_ = kAllOnes;
  for (std::uint64_t bank = 0; bank < count; ++bank) bank_registers_.at(bank * kRegistersOfABank) = kAllOnes;
  return true;
}

bool MachineCheckMsrs::owns(std::uint32_t index) {
  return (index >= kMcgCap && index <= kMcgCtl) || index == kMcgExtCtl || is_control2(index) ||
         is_bank_register(index);
}

std::optional<std::size_t> MachineCheckMsrs::place_of(std::uint32_t index) const {
  const bool second = is_control2(index);
  const std::uint32_t place = index - (second ? kControl2 : kBankRegisters);
  if (place >= banks() * (second ? 1 : kRegistersOfABank)) return std::nullopt;
  return second ? kRegistersOfABank * kBanks + place : place;
}

std::optional<std::uint64_t> MachineCheckMsrs::read(std::uint32_t index, MsrAccess access) const {
  const bool vmm = access == MsrAccess::Vmm;
  const auto if_present = [&](std::uint64_t capability, std::uint64_t value) {
    return vmm || capabilities_ & capability ? std::optional(value) : std::nullopt;
  };
  switch (index) {
    case kMcgCap:
      return capabilities_;
    case kMcgStatus:
      return status_;
    case kMcgCtl:
      return if_present(kControlPresent, control_);
    case kMcgExtCtl:
      return if_present(kLmcePresent, extended_control_);
    default:
      break;
  }
  const auto place = place_of(index);
  if (!place) return std::nullopt;
  return if_present(is_control2(index) ? kCmciPresent : kAllOnes, bank_registers_.at(*place));
}

bool MachineCheckMsrs::write(std::uint32_t index, std::uint64_t value, MsrAccess access) {
  if (!allows(index, value, access)) return false;
  switch (index) {
    case kMcgStatus:
      status_ = value;
      return true;
    case kMcgCtl:
      control_ = value;
      return true;
    case kMcgExtCtl:
      extended_control_ = value;
      return true;
    default:
      bank_registers_.at(*place_of(index)) = value;
      return true;
  }
}

bool MachineCheckMsrs::allows(std::uint32_t index, std::uint64_t value, MsrAccess access) const {
  constexpr std::uint64_t kLocalExceptions = 1;
  const bool guest = access == MsrAccess::Guest;
  switch (index) {
    case kMcgCap:
      return false;
    case kMcgStatus:
      return true;
    case kMcgCtl:
      if (!(capabilities_ & kControlPresent) && (value != 0 || guest)) return false;
      return value == 0 || value == kAllOnes;
    case kMcgExtCtl:
      return (!guest || has_local_exceptions()) && (value & ~kLocalExceptions) == 0;
    default:
      return place_of(index) && allows_in_bank(index, value, access);
  }
}

bool MachineCheckMsrs::allows_in_bank(std::uint32_t index, std::uint64_t value, MsrAccess access) const {
  constexpr std::uint64_t kControl2Bits = 1ULL << 30 | 0x7FFF;  // CMCI_EN and the threshold
  const bool guest = access == MsrAccess::Guest;
  if (is_control2(index)) {
    if (!(capabilities_ & kCmciPresent) && (value != 0 || guest)) return false;
    return (value & ~kControl2Bits) == 0;
  }
  // Some guests clear bit 10 of bank 4, some bit 0: KVM lets them.
  constexpr std::uint64_t kMayBeClear = 1U << 10 | 1U << 0;
  const std::uint32_t which = (index - kBankRegisters) % kRegistersOfABank;
  if (which == kControlOfABank) return value == 0 || (value | kMayBeClear) == kAllOnes;
  return which != kStatusOfABank || value == 0 || !guest;
}

}  // namespace virttdx::softhost
