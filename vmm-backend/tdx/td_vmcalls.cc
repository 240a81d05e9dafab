// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/td_vmcalls.h"

#include "tdx/td_vmcall_spec.h"

namespace virttdx {
namespace {

// MSI address: destination bits 7:0 in 19:12, bits 14:8 in 11:5 (KVM_FEATURE_MSI_EXT_DEST_ID).
MsiMessage message_to(std::uint32_t apic_id, std::uint64_t vector) {
  constexpr std::uint64_t kMsiAddress = 0xFEE00000;
  return {kMsiAddress | (apic_id & 0xFFU) << 12 | (apic_id >> 8 & 0x7FU) << 5,
          static_cast<std::uint32_t>(vector)};
}

}  // namespace

TdVmcalls::TdVmcalls(DmaMemory& memory, const TdxCapabilities& capabilities, const QuoteServiceConfig& quotes,
                     MsiSink interrupts)
    : info_r11_(capabilities.kernel_tdvmcallinfo_1_r11 |
                (capabilities.user_tdvmcallinfo_1_r11 & td_vmcall::kInfoSetupEventNotifyInterrupt)),
      info_r12_(capabilities.kernel_tdvmcallinfo_1_r12),
      interrupts_(std::move(interrupts)),
      quotes_(memory, quotes, [this] { notify(); }) {}

void TdVmcalls::td_vmcall(kvm::kvm_run& run, std::uint32_t vcpu) {
  auto& call = run.tdx;
  switch (call.nr) {
    case td_vmcall::kGetTdVmCallInfo:
      if (call.get_tdvmcall_info.leaf != 1) return;
      call.get_tdvmcall_info.r11 = info_r11_;
      call.get_tdvmcall_info.r12 = info_r12_;
      call.get_tdvmcall_info.ret = td_vmcall::kSuccess;
      return;
    case td_vmcall::kGetQuote:
      call.get_quote.ret = quotes_.get_quote({call.get_quote.gpa}, call.get_quote.size);
      return;
    case td_vmcall::kSetupEventNotifyInterrupt:
      call.setup_event_notify.ret = setup_event_notify(call.setup_event_notify.vector, vcpu);
      return;
    default:
      return;
  }
}

std::uint64_t TdVmcalls::setup_event_notify(std::uint64_t vector, std::uint32_t vcpu) {
  if (vector < td_vmcall::kFirstVector || vector > td_vmcall::kLastVector) return td_vmcall::kInvalidOperand;
  const std::lock_guard lock(mutex_);
  notification_ = message_to(vcpu, vector);
  return td_vmcall::kSuccess;
}

void TdVmcalls::notify() {
  const std::lock_guard lock(mutex_);
  if (notification_) interrupts_(*notification_);
}

}  // namespace virttdx
