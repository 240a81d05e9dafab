// SPDX-License-Identifier: GPL-2.0-or-later
// What a vCPU's exits mean: one function per exit reason.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bus/bus.h"
#include "kvm/vcpu_exit.h"
#include "memory/guest_memory.h"
#include "support/result.h"
#include "vcpu/exit_counts.h"
#include "vcpu/exit_trace.h"
#include "vmm_backend/monitor_messages.h"

namespace virttdx {

/// Answers the TDVMCALLs of KVM_EXIT_TDX. Called by vCPU threads, several at once.
class TdVmcallHandler {
 public:
  virtual ~TdVmcallHandler() = default;
  /// `tdx` is kvm_run's part: what is written there the guest gets with its next run. A call that is left
  /// alone keeps the answer that KVM put there.
  virtual void td_vmcall(kvm::kvm_run& run, std::uint32_t vcpu) = 0;
};

/// Where exits go. All of it outlives the vCPU threads and is safe for several of them.
struct ExitServices {
  PortBus& ports;
  MmioBus& mmio;
  GuestMemory& memory;
  TdVmcallHandler& td_vmcalls;
  ExitTrace* trace = nullptr;    ///< null: none
  ExitCounts* counts = nullptr;  ///< null: none
};

/// The end of a TD, as one of its vCPUs found it.
struct VcpuStop {
  StopReason reason = StopReason::Crashed;
  std::string message;    ///< for people; empty when the reason says all
  bool panicked = false;  ///< the guest said so itself, by ReportFatalError or pvpanic
};

/// Handles one exit of vCPU `vcpu` on its thread; a value when the TD has come to its end.
std::optional<VcpuStop> handle_exit(const VcpuExit& exit, const ExitServices& services, std::uint32_t vcpu);

/// A ReportFatalError (GHCI, TDG.VP.VMCALL<ReportFatalError>) from KVM_SYSTEM_EVENT_TDX_FATAL's registers:
/// error code, the guest's text with unprintable bytes escaped, and its GPA when it gives one.
std::string describe_fatal_error(const std::array<std::uint64_t, 16>& registers);

}  // namespace virttdx
