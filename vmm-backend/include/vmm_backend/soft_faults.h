// SPDX-License-Identifier: GPL-2.0-or-later
// Faults that the software TDX host makes on demand, so that every way out of a launch can be tried.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace virttdx {

/// Where a fault can strike: an ioctl, a TDX command of KVM_MEMORY_ENCRYPT_OP, a page of one, or a SEAMCALL
/// that KVM makes of the TDX module for it.
enum class FaultPoint : std::uint8_t {
  GetSupportedCpuid,
  CreateVm,
  EnableCap,
  SetTscKhz,
  SetUserMemoryRegion2,
  SetMemoryAttributes,
  CreateGuestMemfd,
  CreateVcpu,
  SetCpuid2,
  Run,
  SignalMsi,
  SetGsiRouting,
  Irqfd,
  Ioeventfd,
  TdxCapabilities,
  TdxInitVm,
  TdxInitVcpu,
  TdxInitMemRegion,
  TdxInitMemRegionPage,  ///< a page that KVM_TDX_INIT_MEM_REGION is about to add
  TdxGetCpuid,
  TdxFinalizeVm,
  TdhMngCreate,
  TdhMngInit,
  TdhMngRd,  ///< one leaf's CPUID_VALUES, read by KVM_TDX_GET_CPUID
  TdhVpInit,
  TdhMemPageAdd,
  TdhMrExtend,
  TdhMrFinalize,
};

constexpr bool is_seamcall(FaultPoint point) { return point >= FaultPoint::TdhMngCreate; }

/// The errno of a fault, by its Linux number.
enum class FaultErrno : std::uint8_t {
  Eintr = 4,
  Eio = 5,
  E2big = 7,
  Eagain = 11,
  Enomem = 12,
  Efault = 14,
  Ebusy = 16,
  Einval = 22,
  Emfile = 24,
  Enospc = 28,
  Eopnotsupp = 95,
};

struct SoftFault {
  FaultPoint at = FaultPoint::Run;
  /// Which arrival at the point fails first, counted from 1 since the host's beginning, and how many from
  /// there on.
  std::uint32_t first = 1, count = 1;
  /// What the ioctl answers. Nothing at a SEAMCALL: KVM makes its errno of the status.
  std::optional<FaultErrno> error = {};
  /// A status of the TDX module: given back in struct kvm_tdx_cmd (KVM_TDX_INIT_VM and KVM_TDX_FINALIZE_VM
  /// only), or what the SEAMCALL answers.
  std::uint64_t hw_error = 0;
  /// Every later ioctl on the VM answers EIO, as after a fault that KVM takes for a bug.
  bool kills_vm = false;
  bool operator==(const SoftFault&) const = default;
};

/// JSON as schemas/soft-faults.json describes it.
Result<std::vector<SoftFault>> soft_faults_from_json(std::string_view json);

}  // namespace virttdx
