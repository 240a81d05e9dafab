// SPDX-License-Identifier: GPL-2.0-or-later
// TDG.VP.VMCALL as KVM handles it: one function per sub-function of the GHCI. Numbers: Intel TDX
// Guest-Hypervisor Communication Interface, chapter "TDG.VP.VMCALL Interface".
#pragma once

#include <cstdint>

#include "softhost/module/td_vcpu.h"

namespace virttdx::softhost {

class Vcpu;

namespace vmcall {
/// R11: the sub-function.
inline constexpr std::uint64_t kCpuid = 10, kHlt = 12, kIo = 30, kRdmsr = 31, kWrmsr = 32, kMmio = 48,
                               kGetTdVmCallInfo = 0x10000, kMapGpa = 0x10001, kGetQuote = 0x10002,
                               kReportFatalError = 0x10003, kSetupEventNotifyInterrupt = 0x10004;
/// R10: the status.
inline constexpr std::uint64_t kSuccess = 0, kRetry = 1, kInvalidOperand = 0x8000000000000000,
                               kAlignError = 0x8000000000000002, kSubfunctionUnsupported = 0x8000000000000003;
}  // namespace vmcall

enum class VmCallEnd : std::uint8_t {
  Answered,  ///< `out` goes to the guest
  Halted,    ///< the same, and the vCPU halts
  Exit,      ///< to the monitor; `complete` goes on from its answer
  Failed,    ///< KVM_RUN fails with EINVAL; the guest cannot go on
};

/// One call under way.
struct VmCall {
  Vcpu& vcpu;
  VmCallRegisters in;
  VmCallRegisters out;  ///< starts as `in`: what KVM does not change the guest gets back
  VmCallEnd (*complete)(VmCall& call) = nullptr;  ///< set by a handler that ends with Exit
  std::uint64_t next_gpa = 0;                     ///< MapGPA: first byte not converted yet
  bool interrupts_blocked = false;                ///< Halted: the guest will not take an interrupt

  VmCallEnd answer(std::uint64_t status) {
    out[kR10] = status;
    return VmCallEnd::Answered;
  }
};

/// Begins a call: `in` and `out` are set.
VmCallEnd begin_vmcall(VmCall& call);

// The families.
VmCallEnd vmcall_cpuid(VmCall& call);
VmCallEnd vmcall_hlt(VmCall& call);
VmCallEnd vmcall_io(VmCall& call);
VmCallEnd vmcall_rdmsr(VmCall& call);
VmCallEnd vmcall_wrmsr(VmCall& call);
VmCallEnd vmcall_mmio(VmCall& call);
VmCallEnd vmcall_get_td_vmcall_info(VmCall& call);
VmCallEnd vmcall_map_gpa(VmCall& call);
VmCallEnd vmcall_get_quote(VmCall& call);
VmCallEnd vmcall_report_fatal_error(VmCall& call);
VmCallEnd vmcall_setup_event_notify_interrupt(VmCall& call);
/// R10 != 0: KVM's own hypercalls.
VmCallEnd vmcall_kvm_hypercall(VmCall& call);

}  // namespace virttdx::softhost
