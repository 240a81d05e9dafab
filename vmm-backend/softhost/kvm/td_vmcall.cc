// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/td_vmcall.h"

#include <array>

#include "softhost/kvm/vcpu.h"
#include "support/log.h"

namespace virttdx::softhost {
namespace {

struct SubFunction {
  std::uint64_t number;
  VmCallEnd (*handle)(VmCall& call);
};

constexpr std::array kSubFunctions = {
    SubFunction{vmcall::kIo, vmcall_io},
    SubFunction{vmcall::kMmio, vmcall_mmio},
    SubFunction{vmcall::kHlt, vmcall_hlt},
    SubFunction{vmcall::kRdmsr, vmcall_rdmsr},
    SubFunction{vmcall::kWrmsr, vmcall_wrmsr},
    SubFunction{vmcall::kCpuid, vmcall_cpuid},
    SubFunction{vmcall::kMapGpa, vmcall_map_gpa},
    SubFunction{vmcall::kGetTdVmCallInfo, vmcall_get_td_vmcall_info},
    SubFunction{vmcall::kGetQuote, vmcall_get_quote},
    SubFunction{vmcall::kReportFatalError, vmcall_report_fatal_error},
    SubFunction{vmcall::kSetupEventNotifyInterrupt, vmcall_setup_event_notify_interrupt},
};

void warn_of_rbp(const VmCall& call) {
  constexpr std::uint64_t kRbpSelected = 1U << kRbp;
  if ((call.in[kRcx] & kRbpSelected) == 0 || call.vcpu.vm.rbp_passed.exchange(true)) return;
  log::warning(
      "software TDX host: the guest passes RBP in TDVMCALLs, which TDs made by Linux' KVM refuse "
      "(NO_RBP_MOD): on "
      "hardware this firmware or kernel does not run; use edk2-stable202405 or later");
}

}  // namespace

VmCallEnd begin_vmcall(VmCall& call) {
  warn_of_rbp(call);
  if (call.in[kR10] != 0) return vmcall_kvm_hypercall(call);
  for (const auto& function : kSubFunctions)
    if (function.number == call.in[kR11]) return function.handle(call);
  return call.answer(vmcall::kSubfunctionUnsupported);
}

VmCallEnd vmcall_cpuid(VmCall& call) {
  const auto value = vcpu_cpuid(call.vcpu, static_cast<std::uint32_t>(call.in[kR12]),
                                static_cast<std::uint32_t>(call.in[kR13]));
  call.out[kR12] = value.eax;
  call.out[kR13] = value.ebx;
  call.out[kR14] = value.ecx;
  call.out[kR15] = value.edx;
  return call.answer(vmcall::kSuccess);
}

VmCallEnd vmcall_hlt(VmCall& call) {
  ++call.vcpu.counters.halt_exits;
  call.interrupts_blocked = call.in[kR12] != 0;
  call.answer(vmcall::kSuccess);
  return VmCallEnd::Halted;
}

VmCallEnd vmcall_rdmsr(VmCall& call) {
  const auto value = read_kvm_msr(call.vcpu, static_cast<std::uint32_t>(call.in[kR12]), MsrAccess::Guest);
  if (!value) return call.answer(vmcall::kInvalidOperand);
  call.out[kR11] = *value;
  return call.answer(vmcall::kSuccess);
}

VmCallEnd vmcall_wrmsr(VmCall& call) {
  const bool written =
      write_kvm_msr(call.vcpu, static_cast<std::uint32_t>(call.in[kR12]), call.in[kR13], MsrAccess::Guest);
  return call.answer(written ? vmcall::kSuccess : vmcall::kInvalidOperand);
}

}  // namespace virttdx::softhost
