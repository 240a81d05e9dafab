// SPDX-License-Identifier: GPL-2.0-or-later
// The run loop: what happens between two stays in uc_emu_start().
#include <cstring>
#include <utility>

#include "softhost/cpu/unicorn_engine.h"
#include "softhost/cpu/x86_spec.h"

namespace virttdx::softhost {

RunResult UnicornEngine::run() {
  result_.reset();
  rest_until_ = {};
  while (!result_) {
    kicker_.begin_round();
    if (stop_requested_.exchange(false)) {
      result_ = RunResult::Stopped;
      break;
    }
    take_requests();
    drop_requested_code();
    if (!enter_guest()) continue;
    deliver_pending();
    if (!result_) execute_or_rest();
    leave_guest();
  }
  return *result_;
}

/// A CPU that waits for another one to write to memory rests between two stays in the engine. What it is
/// kicked for meanwhile is looked at in the next round; only an event ends the rest early.
void UnicornEngine::execute_or_rest() {
  const auto now = SpinWatch::Clock::now();
  if (std::exchange(has_executed_, false)) rest_until_ = now + rest_of_spinning(now);
  if (now >= rest_until_) {
    has_executed_ = true;
    return execute();
  }
  leave_guest();
  kicker_.set_deadline(environment_.next_deadline());
  kicker_.rest(rest_until_ - now);
}

/// Alone it would wait for a device and is left to it.
SpinWatch::Clock::duration UnicornEngine::rest_of_spinning(SpinWatch::Clock::time_point now) {
  if (alone_) return {};
  const SpinWatch::Clock::duration rest = looks_.met(registers(), calls_, now);
  if (looks_.suspects()) kicker_.look_soon();
  return rest;
}

/// NMIs are blocked from the delivery of one until IRET (SDM volume 3, 6.7.1).
bool UnicornEngine::nmi_is_due() {
  if (!inside_) context_.save();
  if (!context_.nmi_blocked()) return environment_.take_nmi();
  internals_.request_window(EngineInternals::Window::Nmi);
  return false;
}

void UnicornEngine::request_stop() {
  stop_requested_.store(true);
  kicker_.kick();
}

void UnicornEngine::request_interrupt_check() { kicker_.kick(); }

bool UnicornEngine::interrupts_enabled() const {
  if (!inside_) context_.save();
  return (context_.rflags() & rflags::kIf) && !(context_.hflags() & hflag::kInhibitIrq);
}

void UnicornEngine::deliver_pending() {
  if (pending_event_) {
    const Event event = *std::exchange(pending_event_, std::nullopt);
    deliver_outside(event);
    return;
  }
  if (nmi_is_due() && !deliver_outside(kNonMaskable)) return;
  const auto interrupt = environment_.pending_interrupt();
  if (!interrupt) return;
  if (!interrupts_enabled()) return internals_.request_window(EngineInternals::Window::Interrupt);
  environment_.acknowledge_interrupt(*interrupt);
  deliver_outside({.vector = *interrupt, .source = Event::Source::External, .error_code = {}, .cr2 = {}});
}

/// False when run() has to end.
bool UnicornEngine::deliver_outside(const Event& event) {
  context_.save();
  switch (delivery_.deliver(event, context_.rflags(), false)) {
    case Delivery::Done:
      if (event.is_nmi()) context_.block_nmi();
      context_.restore();
      rest_until_ = {};
      return true;
    case Delivery::TripleFault:
      result_ = RunResult::TripleFault;
      return false;
    case Delivery::Blocked:
      pending_event_ = event;
      result_ = RunResult::EnvironmentExit;
      return false;
  }
  return false;
}

void UnicornEngine::execute() {
  std::uint64_t rip = 0;
  uc_reg_read(handles_.engine, UC_X86_REG_RIP, &rip);
  inside_ = true;
  kicker_.set_deadline(environment_.next_deadline());
  kicker_.enter();
  const uc_err error = internals_.start(rip, kicker_.wanted());
  kicker_.leave();
  inside_ = false;
  if (result_ || error == UC_ERR_OK) return;
  after_refused_access(error);
}

void UnicornEngine::after_refused_access(uc_err error) {
  if (error != UC_ERR_EXCEPTION) return fail_with(uc_strerror(error));
  std::uint64_t linear = 0;
  // SAFETY: EngineLayout found this place within the engine's structure.
  std::memcpy(&linear, reinterpret_cast<const std::byte*>(handles_.engine) + layout_.fault_address,
              sizeof(linear));
  raise_after_refusal(refusal_.translation, linear, refusal_.access);
}

void UnicornEngine::raise_after_refusal(const Translation& translation, std::uint64_t linear,
                                        AccessKind access) {
  switch (translation.kind) {
    case Translation::Kind::PageFault:
      deliver({.vector = vector::kPageFault, .error_code = translation.error_code, .cr2 = linear});
      return;
    case Translation::Kind::NotCanonical:
      deliver({.vector = vector::kGeneralProtection, .error_code = 0, .cr2 = {}});
      return;
    case Translation::Kind::NoMemory:
      break;
    case Translation::Kind::Page:
      return fail_with("the engine refused a page that it was given");
  }
  const std::uint64_t gpa = translation.of_page_table ? translation.gpa : translation.gpa | (linear & 0xfff);
  switch (translation.answer.kind) {
    case PageAnswer::Kind::Exit:
      return leave(RunResult::EnvironmentExit);
    case PageAnswer::Kind::Ve:
      return report_memory_ve(translation, linear, access);
    case PageAnswer::Kind::Mmio:
      if (access == AccessKind::Execute || translation.of_page_table || environment_.is_td())
        return fail_with(fmt::format("no memory for {} at GPA {:#x}",
                                     access == AccessKind::Execute ? "instructions" : "an access", gpa));
      return complete_mmio(gpa, access == AccessKind::Write);
    case PageAnswer::Kind::Memory:
    case PageAnswer::Kind::Rsvd:
      break;
  }
  fail_with(fmt::format("no answer for GPA {:#x}", gpa));
}

void UnicornEngine::report_memory_ve(const Translation& translation, std::uint64_t linear,
                                     AccessKind access) {
  // SDM volume 3, table 28-7: access kind in bits 2:0; bit 7: the linear address is valid; bit 8: the access
  // was to its translation, not to a page table.
  constexpr std::uint64_t kLinearValid = 1 << 7, kOfTranslation = 1 << 8;
  VeInfo info;
  info.exit_reason = exit_reason::kEptViolation;
  info.exit_qualification = (access == AccessKind::Read    ? 1
                             : access == AccessKind::Write ? 2
                                                           : 4) |
                            kLinearValid | (translation.of_page_table ? 0 : kOfTranslation);
  info.gla = linear;
  info.gpa = translation.of_page_table ? translation.gpa : translation.gpa | (linear & 0xfff);
  const bool stored = environment_.store_ve(info);
  if (stored)
    deliver({.vector = vector::kVirtualization, .error_code = {}, .cr2 = {}});
  else
    deliver({.vector = vector::kDoubleFault, .error_code = 0, .cr2 = {}});
}

void UnicornEngine::fail_with(std::string reason) {
  const Registers now = registers();
  failure_ = fmt::format("{} at RIP {:#x}", reason, now.rip);
  leave(RunResult::EngineFailure);
}

void UnicornEngine::leave(RunResult result) {
  result_ = result;
  if (inside_) internals_.leave();
}

}  // namespace virttdx::softhost
