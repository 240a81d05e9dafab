// SPDX-License-Identifier: GPL-2.0-or-later
// SYSCALL and SYSENTER (Intel SDM volume 2). The engine calls a hook and then only steps over them: the hook
// puts the kernel's state into the engine's registers, with RIP less by the step.
#include "softhost/cpu/unicorn_engine.h"
#include "softhost/cpu/x86_spec.h"

namespace virttdx::softhost {

namespace {

/// SDM volume 2, SYSCALL: the flat segments that it loads whatever the descriptors say.
EngineSegment flat_code(std::uint16_t selector, bool is_64_bit) {
  using namespace descriptor;
  const std::uint32_t type = kCode | kWritable | kAccessed;  // for code, "writable" is "readable"
  return {selector, 0, 0xffffffff, kGranularity | kPresent | kNotSystem | type | (is_64_bit ? kLong : kBig)};
}
EngineSegment flat_stack(std::uint16_t selector) {
  using namespace descriptor;
  return {selector, 0, 0xffffffff, kGranularity | kPresent | kNotSystem | kBig | kWritable | kAccessed};
}

}  // namespace

void UnicornEngine::on_syscall(uc_engine*, void* self) { static_cast<UnicornEngine*>(self)->syscall(); }
void UnicornEngine::on_sysenter(uc_engine*, void* self) { static_cast<UnicornEngine*>(self)->sysenter(); }

/// The kernel's entry point runs with CPL 0 on the given stack, or the one it was entered on.
void UnicornEngine::enter_kernel(std::uint16_t code_selector, bool is_64_bit, std::uint64_t rip) {
  context_.set_segment(SegmentIndex::Cs, flat_code(code_selector & 0xfffc, is_64_bit));
  context_.set_segment(SegmentIndex::Ss,
                       flat_stack(static_cast<std::uint16_t>((code_selector & 0xfffc) + 8)));
  context_.set_rip(rip - instruction_length_);
  context_.set_hflags(compute_hflags(context_, 0, context_.hflags() & hflag::kGuest));
  context_.restore();
}

void UnicornEngine::syscall() {
  context_.save();
  current_instruction();
  if (!context_.is_64_bit_code() || !(context_.efer() & efer::kSce))
    return refuse_in_hook(Outcome::InvalidOpcode);
  const std::uint64_t flags = context_.rflags();
  context_.set_gpr(kRcx, context_.rip() + instruction_length_);
  context_.set_gpr(kR11, flags & ~rflags::kRf);
  const auto selector = static_cast<std::uint16_t>(system_call_.star >> 32);
  context_.set_rflags(flags & ~(system_call_.fmask | rflags::kRf), true);
  enter_kernel(selector, true, system_call_.lstar);
}

void UnicornEngine::sysenter() {
  context_.save();
  current_instruction();
  const auto selector = static_cast<std::uint16_t>(system_call_.sysenter_cs);
  const bool protected_mode = context_.cr(0) & cr0::kPe;
  if (!protected_mode || (selector & 0xfffc) == 0) return refuse_in_hook(Outcome::GeneralProtection);
  const bool long_mode = context_.efer() & efer::kLma;
  const std::uint64_t mask = long_mode ? ~0ULL : 0xffffffffULL;
  context_.set_gpr(kRsp, system_call_.sysenter_esp & mask);
  context_.clear_system_flags(rflags::kIf | rflags::kVm | rflags::kRf);
  enter_kernel(selector, long_mode, system_call_.sysenter_eip & mask);
}

/// These MSRs stay with the engine; the hook needs them without asking it.
void UnicornEngine::note_system_call_msr(std::uint32_t index, std::uint64_t value) {
  switch (index) {
    case msr::kStar:
      system_call_.star = value;
      break;
    case msr::kLstar:
      system_call_.lstar = value;
      break;
    case msr::kFmask:
      system_call_.fmask = value;
      break;
    case msr::kSysenterCs:
      system_call_.sysenter_cs = value;
      break;
    case msr::kSysenterEsp:
      system_call_.sysenter_esp = value;
      break;
    case msr::kSysenterEip:
      system_call_.sysenter_eip = value;
      break;
    case msr::kTscAux:
      tsc_aux_ = static_cast<std::uint32_t>(value);
      break;
    default:
      break;
  }
}

}  // namespace virttdx::softhost
