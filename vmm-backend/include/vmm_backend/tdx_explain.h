// SPDX-License-Identifier: GPL-2.0-or-later
// What a failed request of KVM's TDX ABI means: causes and remedies for an errno and the TDX module's status.
// Source of the rules: Linux 7.1 arch/x86/kvm/vmx/tdx.c and virt/kvm,
// Documentation/virt/kvm/x86/intel-tdx.rst; Intel TDX Module ABI Reference Specification (TDH.MNG.INIT,
// status codes). Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vmm_backend/host_capabilities.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

enum class KvmRequest : std::uint8_t {
  Unknown,
  OpenKvm,
  CreateVm,
  EnableSplitIrqchip,
  EnableExitHypercall,
  EnableX2apicApi,
  EnableApicBusCycles,
  SetTscKhz,
  CreateIrqchip,
  CreateGuestMemfd,
  SetUserMemoryRegion,
  SetMemoryAttributes,
  PreFaultMemory,
  CreateVcpu,
  SetCpuid2,
  TdxCapabilities,
  TdxInitVm,
  TdxInitVcpu,
  TdxInitMemRegion,
  TdxFinalizeVm,
  TdxGetCpuid,
  Run,
  Seamcall,  ///< KVM's own call of the TDX module, as the kernel log shows it
};

/// "KVM_TDX_INIT_VM"; for capabilities "KVM_CAP_...", for the device file "/dev/kvm".
std::string_view kvm_request_name(KvmRequest request);

/// The request of that name, in any case, with or without "KVM_" or "KVM_TDX_".
std::optional<KvmRequest> kvm_request_of_name(std::string_view name);

/// The first request that a text names in full.
std::optional<KvmRequest> kvm_request_in(std::string_view text);

/// A request that failed, as far as it is known.
struct TdxFailure {
  KvmRequest request = KvmRequest::Unknown;
  int system_errno = 0;  ///< positive; 0: not known
  /// The TDX module's status: kvm_tdx_cmd's hw_error, or what the kernel log shows. 0: KVM passed none on.
  /// Absent: not known.
  std::optional<std::uint64_t> hw_error;
  std::optional<std::uint64_t> seamcall;  ///< leaf of a KvmRequest::Seamcall
  bool operator==(const TdxFailure&) const = default;
};

enum class TdxCertainty : std::uint8_t {
  Certain,   ///< this is it
  Possible,  ///< one of several
};

struct TdxCause {
  KvmRequest request = KvmRequest::Unknown;  ///< whose failure it explains
  std::string id;                            ///< stable: "init-vm.guest-phys-bits"
  std::string sentence;                      ///< what is wrong, without a full stop at the end
  std::string remedy;                        ///< what to do, or what is allowed; without a full stop
  TdxCertainty certainty = TdxCertainty::Possible;
  bool operator==(const TdxCause&) const = default;
};

/// The causes that fit, likeliest (KVM's order of checks) first; empty when the tables know none.
std::vector<TdxCause> explain_tdx(const TdxFailure& failure);

/// Of a KVM_TDX_INIT_VM that was given `td` on `host`: what in `td` is wrong, with its values, each Certain
/// and in KVM's order of checks. Nothing wrong found: what else it can be. Empty members of `host` are taken
/// for not known.
std::vector<TdxCause> explain_init_vm(const TdConfig& td, const HostCapabilities& host,
                                      const TdxFailure& failure);

/// Of a KVM_TDX_INIT_VCPU on a vCPU that was given td.vcpu_cpuid.
std::vector<TdxCause> explain_init_vcpu(const TdConfig& td, const TdxFailure& failure);

/// To be appended to a message that names the request: " because ..." or "; possible causes: ...". Empty
/// without causes.
std::string describe_causes(std::span<const TdxCause> causes);

/// A line of a log: virttdx's own, QEMU's, the kernel's.
struct ExplainedLine {
  TdxFailure failure;  ///< what the line tells of one
  std::vector<TdxCause> causes;
};

/// A cause that virttdx's own line tells is kept as "log.told". Nothing: the line tells of no failure that
/// has to do with TDX. At most the line's first 64 KiB are read.
std::optional<ExplainedLine> explain_log_line(std::string_view line);

/// A status of the TDX module for people: "TDX_OPERAND_INVALID, operand XFAM (0xc000010000000041)".
std::string describe_tdx_status(std::uint64_t status);

/// "TDH.MNG.INIT"; a number where no name is known.
std::string seamcall_name(std::uint64_t leaf);

/// "EINVAL"; the number where it has no name.
std::string errno_name(int system_errno);

/// From "EINVAL", "einval", "22" or "-22": 22.
std::optional<int> errno_of_name(std::string_view name);

}  // namespace virttdx
