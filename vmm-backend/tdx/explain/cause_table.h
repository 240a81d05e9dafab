// SPDX-License-Identifier: GPL-2.0-or-later
// The tables of causes, one family a file: a row for every way in which Linux 7.1's KVM fails a request, in
// its order of checks.
#pragma once

#include <span>

#include "tdx/tdx_spec.h"
#include "vmm_backend/tdx_explain.h"

namespace virttdx {

/// Which statuses of the TDX module a row is about: status & mask == value. mask 0: KVM passes none on.
struct StatusMatch {
  std::uint64_t mask = 0;
  std::uint64_t value = 0;
};
inline constexpr StatusMatch kNoStatus{};
constexpr StatusMatch exactly(std::uint64_t status) { return {~std::uint64_t{0}, status}; }
constexpr StatusMatch status_class(std::uint64_t status) { return {tdx::status::kClassMask, status}; }
constexpr StatusMatch invalid_operand(std::uint64_t operand) {
  return exactly(tdx::status::kOperandInvalid | operand);
}

struct CauseRow {
  KvmRequest request;  ///< Unknown: each KVM_TDX_ command
  int system_errno;    ///< 0: whichever
  StatusMatch status;
  const char* id;
  const char* sentence;
  const char* remedy;
};
using CauseRows = std::span<const CauseRow>;

CauseRows setup_causes();    ///< /dev/kvm, VM, capabilities, TSC
CauseRows init_vm_causes();  ///< KVM_TDX_CAPABILITIES, KVM_TDX_INIT_VM
CauseRows memory_causes();   ///< guest_memfd, slots, attributes, KVM_TDX_INIT_MEM_REGION
CauseRows vcpu_causes();     ///< vCPUs, KVM_TDX_GET_CPUID, KVM_RUN
CauseRows finalize_causes();
CauseRows common_causes();  ///< of each KVM_TDX_ command
CauseRows status_causes();  ///< of the TDX module's statuses, whoever met them

/// A cause out of a row, Possible.
TdxCause to_cause(const CauseRow& row);

/// Certain when it is the only one.
std::vector<TdxCause> judged(std::vector<TdxCause> causes);

/// Whether a failure as `known` can be one with this errno and status.
bool fits(const TdxFailure& known, int system_errno, const StatusMatch& status);

}  // namespace virttdx
