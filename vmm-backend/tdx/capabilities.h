// SPDX-License-Identifier: GPL-2.0-or-later
// What KVM and the TDX module of one host offer to TDs.
#pragma once

#include <cstdint>

#include "kvm/kvm.h"
#include "support/result.h"
#include "vmm_backend/host_capabilities.h"

namespace virttdx {

/// KVM_TDX_CAPABILITIES (Linux Documentation/virt/kvm/x86/intel-tdx.rst).
struct TdxCapabilities {
  std::uint64_t supported_attributes = 0;
  std::uint64_t supported_xfam = 0;
  std::uint64_t kernel_tdvmcallinfo_1_r11 = 0;
  std::uint64_t kernel_tdvmcallinfo_1_r12 = 0;
  std::uint64_t user_tdvmcallinfo_1_r11 = 0;
  std::uint64_t user_tdvmcallinfo_1_r12 = 0;
  CpuidEntries configurable_cpuid;
};

/// Of a VM of type TDX, in any of its states.
Result<TdxCapabilities> read_tdx_capabilities(KvmVm& vm);

/// Asks the host behind `kernel`. Always answers: without TDX, tdx_unsupported_reason says what is missing
/// and what to do about it.
HostCapabilities read_host_capabilities(KernelCalls& kernel, HostKind kind);

/// What INIT_VM's checks depend on, without asking for a VM: `tdx` and KVM's own CPUID. The rest is empty.
HostCapabilities known_host(const Kvm& kvm, const TdxCapabilities& tdx);

/// Why this host runs no TD; for a /dev/kvm that does not list the TDX type.
std::string explain_missing_tdx();

}  // namespace virttdx
