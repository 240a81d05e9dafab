// SPDX-License-Identifier: GPL-2.0-or-later
// The launch of a TD: one sequence of requests, each once, in the only order that KVM takes.
// Spec: Linux Documentation/virt/kvm/x86/intel-tdx.rst, "KVM TDX specific API flow".
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kvm/kvm.h"
#include "memory/guest_memory.h"
#include "memory/layout.h"
#include "support/result.h"
#include "tdx/capabilities.h"
#include "vmm_backend/monitor_messages.h"
#include "vmm_backend/tdvf.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

/// GSIs of the user-space IOAPIC's pins: args[0] of KVM_CAP_SPLIT_IRQCHIP.
inline constexpr std::uint32_t kIoApicRoutes = 24;

/// All of it outlives the launch; nothing of it is kept.
struct TdLaunchRequest {
  const TdConfig& td;
  std::vector<std::uint32_t> vcpu_ids;
  const MemoryLayout& layout;
  std::span<const TdPageRange> pages;   ///< in order: it decides MRTD
  Gpa td_hob;                           ///< RCX and R8 of each vCPU at its start
  std::uint64_t shared_page_bytes = 0;  ///< as VmConfig's
};

/// A finalized TD, ready to run. Destroyed in the order vCPUs, memory, VM.
struct LaunchedTd {
  std::unique_ptr<KvmVm> vm;
  std::unique_ptr<GuestMemory> memory;
  std::vector<KvmVcpu> vcpus;
  TdxCapabilities capabilities;
  CpuidReport cpuid;
};

/// Runs the whole sequence. An error names the request, its object and value, errno, the TDX module's status
/// where KVM passes it on, and the cause (vmm_backend/tdx_explain.h); the half-made TD is gone then. What is
/// wrong with the configuration is left to KVM to judge.
Result<LaunchedTd> launch_td(Kvm& kvm, const TdLaunchRequest& request);

}  // namespace virttdx
