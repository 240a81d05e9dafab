// SPDX-License-Identifier: GPL-2.0-or-later
// MSRs that KVM keeps for a TD's vCPU and gives to TDVMCALL<RDMSR/WRMSR> and KVM_GET/SET_MSRS, besides those
// of the local APIC.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "softhost/kvm/machine_check_msrs.h"

namespace virttdx::softhost {

/// Belongs to the vCPU's thread.
class EmulatedMsrs {
 public:
  explicit EmulatedMsrs(bool is_boot_vcpu);
  /// Nothing: KVM knows no such MSR.
  std::optional<std::uint64_t> read(std::uint32_t index, MsrAccess access) const;
  /// False: no such MSR, or it cannot be written.
  bool write(std::uint32_t index, std::uint64_t value, MsrAccess access);

  MachineCheckMsrs machine_checks;

 private:
  std::map<std::uint32_t, std::uint64_t> values_;  // those that differ from the value at reset
  std::uint64_t apic_base_;
};

}  // namespace virttdx::softhost
