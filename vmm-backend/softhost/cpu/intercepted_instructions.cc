// SPDX-License-Identifier: GPL-2.0-or-later
// What intercepted instructions do. The context is saved and RIP is on the instruction.
#include <thread>

#include "softhost/cpu/unicorn_engine.h"
#include "softhost/cpu/x86_spec.h"

namespace virttdx::softhost {

namespace {
constexpr std::uint32_t low_half(std::uint64_t value) { return static_cast<std::uint32_t>(value); }

/// OSXSAVE and OSPKE tell what the guest has enabled in CR4 (SDM volume 2, CPUID).
void add_os_enabled_bits(std::uint32_t leaf, std::uint64_t cr4_value, CpuidValue& value) {
  constexpr std::uint32_t kOsxsave = 1U << 27, kOspke = 1U << 4;
  if (leaf == 1) value.ecx = (value.ecx & ~kOsxsave) | (cr4_value & cr4::kOsxsave ? kOsxsave : 0);
  if (leaf == 7) value.ecx = (value.ecx & ~kOspke) | (cr4_value & cr4::kPke ? kOspke : 0);
}
}  // namespace

void UnicornEngine::intercepted_cpuid() {
  current_instruction();
  CpuidValue value;
  const Outcome outcome =
      environment_.cpuid(low_half(context_.gpr(kRax)), low_half(context_.gpr(kRcx)), value);
  if (outcome == Outcome::Continue) {
    add_os_enabled_bits(low_half(context_.gpr(kRax)), guest_cr4(), value);
    context_.set_gpr(kRax, value.eax);
    context_.set_gpr(kRbx, value.ebx);
    context_.set_gpr(kRcx, value.ecx);
    context_.set_gpr(kRdx, value.edx);
  }
  finish(outcome, exit_reason::kCpuid);
}

void UnicornEngine::intercepted_msr(bool is_write) {
  current_instruction();
  const std::uint32_t index = low_half(context_.gpr(kRcx));
  std::uint64_t value = low_half(context_.gpr(kRax)) | context_.gpr(kRdx) << 32;
  const Outcome outcome =
      is_write ? environment_.write_msr(index, value) : environment_.read_msr(index, value);
  if (outcome == Outcome::Native) {
    native_msr(is_write, index, value);
  } else if (outcome == Outcome::Continue && !is_write) {
    context_.set_gpr(kRax, low_half(value));
    context_.set_gpr(kRdx, value >> 32);
  }
  finish(outcome, is_write ? exit_reason::kWrmsr : exit_reason::kRdmsr);
  if (outcome == Outcome::Continue && is_write) look_for_interrupt();
}

/// After what may have made an interrupt deliverable: end of interrupt, priorities, an IPI to itself, a
/// timer.
void UnicornEngine::look_for_interrupt() {
  kicker_.set_deadline(environment_.next_deadline());
  deliver_interrupt_first();
}

void UnicornEngine::native_msr(bool is_write, std::uint32_t index, std::uint64_t value) {
  const std::uint32_t hflags = context_.hflags();
  // Its own access to the MSR must not be intercepted.
  context_.set_hflags(hflags & ~hflag::kGuest);
  context_.restore();
  uc_x86_msr request{index, value};
  if (is_write)
    uc_reg_write(handles_.engine, UC_X86_REG_MSR, &request);
  else
    uc_reg_read(handles_.engine, UC_X86_REG_MSR, &request);
  context_.save();
  context_.set_hflags(context_.hflags() | hflag::kGuest);
  if (is_write) return note_system_call_msr(index, value);
  context_.set_gpr(kRax, low_half(request.value));
  context_.set_gpr(kRdx, request.value >> 32);
}

void UnicornEngine::intercepted_control_register(bool is_write, unsigned number) {
  const Instruction instruction = current_instruction();
  // SDM volume 3, table 28-3: the control register, the kind of access in bits 5:4, the general register of a
  // MOV in 11:8, what LMSW loads in 31:16.
  constexpr std::uint64_t kClts = 2 << 4, kLmsw = 3 << 4;
  if (instruction.is(1, 0x06)) return write_control_register(0, context_.cr(0) & ~cr0::kTs, kClts);
  if (instruction.is(1, 0x01)) {
    if (instruction.mod() != 3) return fail_with("LMSW with a memory operand is not emulated");
    constexpr std::uint64_t kChangeable = cr0::kMp | cr0::kEm | cr0::kTs;
    const std::uint64_t old_value = context_.cr(0);
    const std::uint64_t word = context_.gpr(instruction.rm());
    return write_control_register(0, (old_value & ~kChangeable) | (word & (kChangeable | cr0::kPe)),
                                  kLmsw | (word & 0xffff) << 16);
  }
  const bool wide = context_.is_64_bit_code();
  std::uint64_t value = context_.gpr(instruction.rm());
  if (!wide) value = low_half(value);
  if (number != 8 && is_write) return write_control_register(number, value, number | instruction.rm() << 8);
  if (number != 8) {
    context_.set_gpr(instruction.rm(), number == 4 ? guest_cr4() : context_.cr(number) & ~kCr3NoFlush);
    return finish_instruction();
  }
  if (is_write && value > 15) return raise(vector::kGeneralProtection, 0);
  // CR8 is bits 7:4 of the local APIC's task priority (SDM volume 3, 10.8.6.1).
  Outcome outcome = Outcome::Continue;
  if (is_write) {
    cr8_ = value;
    outcome = environment_.write_msr(msr::kX2apicTpr, value << 4);
  } else {
    std::uint64_t priority = cr8_ << 4;
    outcome = environment_.read_msr(msr::kX2apicTpr, priority);
    if (outcome == Outcome::Continue) cr8_ = priority >> 4 & 15;
    context_.set_gpr(instruction.rm(), cr8_);
  }
  finish_instruction();
  look_for_interrupt();
}

void UnicornEngine::write_control_register(unsigned number, std::uint64_t value,
                                           std::uint64_t ve_qualification) {
  const std::uint64_t old_value = number == 4 ? guest_cr4() : context_.cr(number);
  if (number == 4) {
    const bool enables_pcid = value & ~old_value & cr4::kPcide;
    const bool pcid_is_possible = context_.efer() & efer::kLma && (context_.cr(3) & 0xfff) == 0;
    const bool leaves_long_mode = context_.efer() & efer::kLma && !(value & cr4::kPae);
    if ((enables_pcid && !pcid_is_possible) || leaves_long_mode) return raise(vector::kGeneralProtection, 0);
  }
  if (number == 0) {
    const bool paging_unprotected = (value & cr0::kPg) && !(value & cr0::kPe);
    const bool uncached_without_cd = (value & cr0::kNw) && !(value & cr0::kCd);
    const bool long_mode_without_pae =
        (value & cr0::kPg) && (context_.efer() & efer::kLme) && !(context_.cr(4) & cr4::kPae);
    if (paging_unprotected || uncached_without_cd || long_mode_without_pae)
      return raise(vector::kGeneralProtection, 0);
    value |= cr0::kEt;
  }
  const Outcome outcome = environment_.is_td() ? environment_.write_control_register(number, old_value, value)
                                               : Outcome::Continue;
  if (outcome != Outcome::Continue) return finish(outcome, exit_reason::kControlRegister, ve_qualification);
  if (number == 4) value = engine_cr4(value);
  uc_reg_write(handles_.engine, number == 0 ? UC_X86_REG_CR0 : UC_X86_REG_CR4, &value);
  context_.save();
  finish_instruction();
}

void UnicornEngine::intercepted_halt() {
  current_instruction();
  finish(environment_.is_td() ? Outcome::Ve : environment_.halt(), exit_reason::kHlt);
}

/// A CPU that waits for another one lets it run if it shares a processor with it.
void UnicornEngine::intercepted_pause() {
  current_instruction();
  const SpinWatch::Clock::duration rest = pauses_.met(registers(), calls_, SpinWatch::Clock::now());
  leave_guest();
  if (rest != rest.zero())
    kicker_.rest(rest);
  else
    std::this_thread::yield();
  return_to_guest();
  finish_instruction();
}

/// The engine reports INVD as WBINVD.
void UnicornEngine::intercepted_cache_instruction() {
  constexpr std::uint8_t kInvd = 0x08;
  intercepted_ve(current_instruction().is(1, kInvd) ? exit_reason::kInvd : exit_reason::kWbinvd);
}

/// INVD, WBINVD, VMCALL: nothing to do outside of a TD, where caches are not modelled.
void UnicornEngine::intercepted_ve(std::uint32_t reason) {
  current_instruction();
  finish(environment_.is_td() ? Outcome::Ve : Outcome::Continue, reason);
}

bool UnicornEngine::td_call() {
  if (!context_.is_64_bit_code() || context_.cpl() != 0) {
    raise(vector::kGeneralProtection, 0);
    return true;
  }
  Registers registers;
  for (unsigned i = 0; i < registers.gpr.size(); ++i) registers.gpr[i] = context_.gpr(i);
  registers.rip = context_.rip();
  registers.rflags = context_.rflags();
  const std::size_t length = instruction_length_;
  leave_guest();
  const Outcome outcome = environment_.td_call(registers);
  return_to_guest();
  instruction_length_ = length;
  if (outcome == Outcome::Continue || outcome == Outcome::Exit)
    for (unsigned i = 0; i < registers.gpr.size(); ++i) context_.set_gpr(i, registers.gpr[i]);
  finish(outcome, exit_reason::kVmcall);
  if (outcome != Outcome::Continue) return true;
  look_for_interrupt();
  return true;
}

}  // namespace virttdx::softhost
