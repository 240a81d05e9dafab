// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/td_environment.h"

#include <cerrno>

#include "softhost/apic/apic_spec.h"
#include "softhost/kvm/vcpu.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint32_t kEfer = 0xC0000080;

bool is_x2apic_msr(std::uint32_t index) { return index >= apic::kFirstMsr && index <= apic::kLastMsr; }

}  // namespace

int TdEnvironment::check_runnable() const {
  return vcpu_.td && vcpu_.vm.td->state() == TdState::Runnable ? 0 : -EINVAL;
}

void TdEnvironment::set_first_state(CpuEngine& engine) const {
  engine.set_system_registers(TdVcpu::first_system_registers());
  engine.set_registers(vcpu_.td->first_registers());
}

Outcome TdEnvironment::td_call(Registers& registers) {
  for (;;) {
    const TdCallResult result = vcpu_.td->td_call(registers);
    switch (result.kind) {
      case TdCallResult::Kind::Done:
        return Outcome::Continue;
      case TdCallResult::Kind::VmCall:
        return handle_vmcall(registers);
      case TdCallResult::Kind::EptViolation:
        if (!add_private_page(result.gpa, result.level)) return Outcome::ExitAndRetry;
    }
  }
}

Outcome TdEnvironment::handle_vmcall(Registers& registers) {
  ++vcpu_.counters.exits;
  VmCall call{.vcpu = vcpu_, .in = vcpu_.td->vmcall(), .out = vcpu_.td->vmcall()};
  switch (begin_vmcall(call)) {
    case VmCallEnd::Answered:
      vcpu_.td->complete_vmcall(registers, call.out);
      return Outcome::Continue;
    case VmCallEnd::Halted:
      vcpu_.td->complete_vmcall(registers, call.out);
      interrupts_blocked_ = call.interrupts_blocked;
      arrivals_at_halt_ = vcpu_.arrivals();
      if (is_woken()) return Outcome::Continue;
      vcpu_.mp_state = kvm::KVM_MP_STATE_HALTED;
      return Outcome::Exit;
    case VmCallEnd::Exit:
      pending_call_.emplace(call);
      return_to_monitor(0);
      return Outcome::Exit;
    case VmCallEnd::Failed:
      break;
  }
  return_to_monitor(-EINVAL);
  return Outcome::Exit;
}

RunStep TdEnvironment::complete_exit() {
  if (!pending_call_) return {};
  VmCall call = *pending_call_;
  pending_call_.reset();
  switch (call.complete(call)) {
    case VmCallEnd::Exit:
      pending_call_.emplace(call);
      return {RunStep::Kind::Return, 0};
    case VmCallEnd::Failed:
      return {RunStep::Kind::Return, -EINVAL};
    case VmCallEnd::Answered:
    case VmCallEnd::Halted:
      break;
  }
  CpuEngine& cpu = engine();
  Registers registers = cpu.registers();
  vcpu_.td->complete_vmcall(registers, call.out);
  cpu.set_registers(registers);
  return {};
}

bool TdEnvironment::is_woken() const {
  if (vcpu_.apic->nmi_pending()) return true;
  // With interrupts blocked KVM cannot tell what waits in the guest's APIC: only an arrival wakes.
  if (interrupts_blocked_) return vcpu_.arrivals() != arrivals_at_halt_;
  return vcpu_.apic->pending().has_value();
}

RunStep TdEnvironment::wait_while_halted(const RunSignals& signals) {
  while (vcpu_.mp_state == kvm::KVM_MP_STATE_HALTED) {
    vcpu_.apic->advance(monotonic_ns());
    timer_changed();
    if (is_woken()) {
      vcpu_.mp_state = kvm::KVM_MP_STATE_RUNNABLE;
    } else if (vcpu_.run_page.immediate_exit() || !sleep(signals)) {
      return {RunStep::Kind::Return, -EINTR};
    }
  }
  return {};
}

bool TdEnvironment::sleep(const RunSignals& signals) {
  VcpuCounters& counters = vcpu_.counters;
  const std::uint64_t begin = monotonic_ns();
  counters.blocking = 1;
  const bool woken = wait_for_event(vcpu_, signals, vcpu_.apic->next_deadline());
  counters.blocking = 0;
  counters.halt_wait_ns += monotonic_ns() - begin;
  if (!woken) ++counters.signal_exits;
  return woken;
}

bool TdEnvironment::store_ve(const VeInfo& info) { return vcpu_.td->store_ve(info); }

Outcome TdEnvironment::cpuid(std::uint32_t leaf, std::uint32_t subleaf, CpuidValue& value) {
  const SystemRegisters system = engine().system_registers();
  const CpuidContext context{.cpl = (system.ss.access_rights >> 5) & 3U,
                             .cr4 = system.cr4,
                             .xcr0 = xcr0_,
                             .xss = vcpu_.td->xss(),
                             .long_mode = (system.cs.access_rights >> 13 & 1) != 0};
  return vcpu_.td->cpuid(leaf, subleaf, context, value);
}

Outcome TdEnvironment::read_msr(std::uint32_t index, std::uint64_t& value) {
  const Outcome outcome = vcpu_.td->read_msr(index, value);
  if (outcome != Outcome::Native || !is_x2apic_msr(index)) return outcome;
  const auto read = vcpu_.apic->read(index, monotonic_ns());
  if (!read) return Outcome::GeneralProtection;
  value = *read;
  return Outcome::Continue;
}

Outcome TdEnvironment::write_msr(std::uint32_t index, std::uint64_t value) {
  const Outcome outcome = vcpu_.td->write_msr(index, value);
  if (outcome != Outcome::Native) return outcome;
  if (index == kEfer) {
    const Outcome allowed = vcpu_.td->write_efer(engine().system_registers().efer, value);
    return allowed == Outcome::Continue ? Outcome::Native : allowed;
  }
  if (!is_x2apic_msr(index)) return Outcome::Native;
  const bool written = vcpu_.apic->write(index, value, monotonic_ns());
  timer_changed();
  return written ? Outcome::Continue : Outcome::GeneralProtection;
}

Outcome TdEnvironment::write_control_register(unsigned number, std::uint64_t old_value,
                                              std::uint64_t new_value) {
  if (number == 0) return vcpu_.td->write_cr0(old_value, new_value, engine().system_registers().cr4);
  if (number == 4) return vcpu_.td->write_cr4(old_value, new_value, engine().system_registers().cr0);
  const Outcome outcome = vcpu_.td->write_xcr0(new_value);
  if (outcome == Outcome::Continue) xcr0_ = new_value;
  return outcome;
}

// Port access, memory-mapped access and HLT are #VE in a TD: the engine never asks for them.
Outcome TdEnvironment::io(bool /*is_write*/, std::uint16_t /*port*/, unsigned /*size*/,
                          std::uint32_t& /*value*/) {
  return Outcome::InvalidOpcode;
}
Outcome TdEnvironment::mmio(bool /*is_write*/, std::uint64_t /*gpa*/, unsigned /*size*/,
                            std::uint64_t& /*value*/) {
  return Outcome::InvalidOpcode;
}
Outcome TdEnvironment::halt() { return Outcome::InvalidOpcode; }

std::optional<std::uint8_t> TdEnvironment::pending_interrupt() {
  poll_stop();
  if (timer_deadline_ns_ != UINT64_MAX && monotonic_ns() >= timer_deadline_ns_) {
    vcpu_.apic->advance(monotonic_ns());
    timer_changed();
  }
  return vcpu_.apic->pending();
}

void TdEnvironment::timer_changed() { timer_deadline_ns_ = vcpu_.apic->next_deadline().value_or(UINT64_MAX); }

void TdEnvironment::acknowledge_interrupt(std::uint8_t vector) { vcpu_.apic->acknowledge(vector); }

bool TdEnvironment::take_nmi() {
  const bool taken = vcpu_.apic->take_nmi();
  if (taken) ++vcpu_.counters.nmi_injections;
  return taken;
}

std::uint64_t TdEnvironment::tsc() { return vcpu_.vm.tsc_at(monotonic_ns()); }

}  // namespace virttdx::softhost
