// SPDX-License-Identifier: GPL-2.0-or-later
// TDVMCALLs that the monitor answers: GetTdVmCallInfo, GetQuote, ReportFatalError, SetupEventNotifyInterrupt;
// and KVM's hypercalls.
#include <algorithm>
#include <array>
#include <iterator>

#include "softhost/kvm/td_vmcall.h"
#include "softhost/kvm/vcpu.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint64_t kLastVector = 255, kFirstVector = 32;
constexpr std::uint64_t kHypercallVapicPollIrq = 1;
constexpr auto kErrorNoSystemCall = static_cast<std::uint64_t>(-1000);  // KVM_ENOSYS
constexpr auto kErrorInvalid = static_cast<std::uint64_t>(-22);         // KVM_EINVAL

// `ret` lies at the same place in every kind of KVM_EXIT_TDX.
VmCallEnd complete_with_status(VmCall& call) { return call.answer(call.vcpu.run().tdx.unknown.ret); }

kvm::kvm_run& begin_tdx_exit(VmCall& call, std::uint64_t preset_status) {
  kvm::kvm_run& run = call.vcpu.run();
  run.exit_reason = kvm::KVM_EXIT_TDX;
  run.tdx.flags = 0;
  run.tdx.nr = call.in[kR11];
  run.tdx.unknown.ret = preset_status;
  call.complete = complete_with_status;
  return run;
}

VmCallEnd complete_td_vmcall_info(VmCall& call) {
  const auto& info = call.vcpu.run().tdx.get_tdvmcall_info;
  call.out[kR11] = info.r11;
  call.out[kR12] = info.r12;
  call.out[kR13] = info.r13;
  call.out[kR14] = info.r14;
  return call.answer(info.ret);
}

VmCallEnd complete_unchanged(VmCall& /*call*/) { return VmCallEnd::Answered; }

VmCallEnd complete_hypercall(VmCall& call) { return call.answer(call.vcpu.run().hypercall.ret); }

VmCallEnd map_gpa_range_hypercall(VmCall& call) {
  const std::uint64_t gpa = call.in[kR11];
  const std::uint64_t pages = call.in[kR12];
  if ((call.vcpu.vm.hypercall_exits >> kvm::KVM_HC_MAP_GPA_RANGE & 1) == 0)
    return call.answer(kErrorNoSystemCall);
  if (gpa % kPageSize != 0 || pages == 0 || gpa / kPageSize + pages <= gpa / kPageSize)
    return call.answer(kErrorInvalid);
  kvm::kvm_run& run = call.vcpu.run();
  run.exit_reason = kvm::KVM_EXIT_HYPERCALL;
  run.hypercall.nr = kvm::KVM_HC_MAP_GPA_RANGE;
  run.hypercall.args[0] = gpa;
  run.hypercall.args[1] = pages;
  run.hypercall.args[2] = call.in[kR13];
  run.hypercall.ret = 0;
  run.hypercall.flags = kvm::KVM_EXIT_HYPERCALL_LONG_MODE;
  call.complete = complete_hypercall;
  return VmCallEnd::Exit;
}

}  // namespace

VmCallEnd vmcall_get_td_vmcall_info(VmCall& call) {
  const std::uint64_t leaf = call.in[kR12];
  if (leaf > 1) return call.answer(vmcall::kInvalidOperand);
  if (leaf == 0) {
    for (const auto output : {kR11, kR12, kR13, kR14}) call.out[output] = 0;
    return call.answer(vmcall::kSuccess);
  }
  kvm::kvm_run& run = begin_tdx_exit(call, vmcall::kSuccess);
  run.tdx.get_tdvmcall_info = {.ret = vmcall::kSuccess, .leaf = leaf, .r11 = 0, .r12 = 0, .r13 = 0, .r14 = 0};
  call.complete = complete_td_vmcall_info;
  return VmCallEnd::Exit;
}

VmCallEnd vmcall_get_quote(VmCall& call) {
  const Td& td = *call.vcpu.vm.td;
  const std::uint64_t gpa = call.in[kR12];
  if (td.is_private(gpa)) return call.answer(vmcall::kInvalidOperand);
  kvm::kvm_run& run = begin_tdx_exit(call, vmcall::kSubfunctionUnsupported);
  run.tdx.get_quote.gpa = gpa & ~td.shared_bit();
  run.tdx.get_quote.size = call.in[kR13];
  return VmCallEnd::Exit;
}

VmCallEnd vmcall_setup_event_notify_interrupt(VmCall& call) {
  const std::uint64_t vector = call.in[kR12];
  if (vector < kFirstVector || vector > kLastVector) return call.answer(vmcall::kInvalidOperand);
  begin_tdx_exit(call, vmcall::kSubfunctionUnsupported).tdx.setup_event_notify.vector = vector;
  return VmCallEnd::Exit;
}

VmCallEnd vmcall_report_fatal_error(VmCall& call) {
  kvm::kvm_run& run = call.vcpu.run();
  run.exit_reason = kvm::KVM_EXIT_SYSTEM_EVENT;
  run.system_event.type = kvm::KVM_SYSTEM_EVENT_TDX_FATAL;
  run.system_event.ndata = static_cast<std::uint32_t>(std::size(run.system_event.data));
  std::copy(call.in.begin(), call.in.end(), run.system_event.data);
  run.system_event.data[kRax] = 0;  // the status of the TD's exit
  call.complete = complete_unchanged;
  return VmCallEnd::Exit;
}

VmCallEnd vmcall_kvm_hypercall(VmCall& call) {
  ++call.vcpu.counters.hypercalls;
  switch (call.in[kR10]) {
    case kHypercallVapicPollIrq:
      return call.answer(0);
    case kvm::KVM_HC_MAP_GPA_RANGE:
      return map_gpa_range_hypercall(call);
    default:
      return call.answer(kErrorNoSystemCall);
  }
}

}  // namespace virttdx::softhost
