// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/ordinary_environment.h"

#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "softhost/kvm/vcpu.h"

namespace virttdx::softhost {
namespace {

// What KVM leaves in RDX for a vCPU that has no CPUID yet.
constexpr std::uint64_t kResetSignature = 0x600;

SegmentRegister real_mode_segment(std::uint16_t access_rights) {
  return {.base = 0, .limit = 0xFFFF, .selector = 0, .access_rights = access_rights};
}

// Intel SDM volume 3, table "IA-32 and Intel 64 Processor States Following Power-up, Reset, or INIT".
SystemRegisters reset_state() {
  constexpr std::uint16_t kCode = 0x9B, kData = 0x93, kTask = 0x8B, kLocalTable = 0x82;
  SystemRegisters state;
  state.cs = real_mode_segment(kCode);
  state.cs.selector = 0xF000;
  state.cs.base = 0xFFFF0000;
  for (auto* const segment : {&state.ds, &state.es, &state.fs, &state.gs, &state.ss})
    *segment = real_mode_segment(kData);
  state.tr = real_mode_segment(kTask);
  state.ldt = real_mode_segment(kLocalTable);
  state.gdt.limit = 0xFFFF;
  state.idt.limit = 0xFFFF;
  state.cr0 = 0x60000010;
  return state;
}

}  // namespace

void OrdinaryEnvironment::set_first_state(CpuEngine& engine) const {
  engine.set_system_registers(reset_state());
  Registers registers;
  registers.rip = 0xFFF0;
  registers.gpr[kRdx] = kResetSignature;
  engine.set_registers(registers);
}

RunStep OrdinaryEnvironment::complete_exit() {
  if (!unfinished_read_) return {};
  const Read read = *std::exchange(unfinished_read_, std::nullopt);
  const void* const answer =
      read.is_port ? static_cast<const void*>(vcpu_.run_page.io_data().data()) : vcpu_.run().mmio.data;
  std::uint64_t value = 0;
  std::memcpy(&value, answer, read.size);
  vcpu_.engine()->complete_read(value);
  return {};
}

Outcome OrdinaryEnvironment::exit_for_access(bool is_port, bool is_write, unsigned size) {
  if (!is_write) unfinished_read_ = Read{.is_port = is_port, .size = size};
  return_to_monitor(0);
  return is_write ? Outcome::Exit : Outcome::ExitAndRetry;
}

Outcome OrdinaryEnvironment::io(bool is_write, std::uint16_t port, unsigned size, std::uint32_t& value) {
  ++vcpu_.counters.exits;
  ++vcpu_.counters.io_exits;
  if (is_write && vcpu_.vm.io_events.write(true, port, size, value)) return Outcome::Continue;
  kvm::kvm_run& run = vcpu_.run();
  run.exit_reason = kvm::KVM_EXIT_IO;
  run.io.direction = is_write ? kvm::KVM_EXIT_IO_OUT : kvm::KVM_EXIT_IO_IN;
  run.io.size = static_cast<std::uint8_t>(size);
  run.io.port = port;
  run.io.count = 1;
  run.io.data_offset = RunPage::kIoDataOffset;
  std::memset(vcpu_.run_page.io_data().data(), 0, size);
  if (is_write) std::memcpy(vcpu_.run_page.io_data().data(), &value, size);
  return exit_for_access(/*is_port=*/true, is_write, size);
}

Outcome OrdinaryEnvironment::mmio(bool is_write, std::uint64_t gpa, unsigned size, std::uint64_t& value) {
  ++vcpu_.counters.exits;
  if (is_write && vcpu_.vm.io_events.write(false, gpa, size, value)) return Outcome::Continue;
  ++vcpu_.counters.mmio_exits;
  kvm::kvm_run& run = vcpu_.run();
  run.exit_reason = kvm::KVM_EXIT_MMIO;
  run.mmio.phys_addr = gpa;
  run.mmio.len = size;
  run.mmio.is_write = is_write;
  if (is_write) std::memcpy(run.mmio.data, &value, sizeof(value));
  return exit_for_access(/*is_port=*/false, is_write, size);
}

PageAnswer OrdinaryEnvironment::page(std::uint64_t gpa, AccessKind access) {
  const std::shared_lock guard(vcpu_.vm.memory_lock);
  const MemorySlot* const slot = vcpu_.vm.slots.find(gpa);
  if (slot == nullptr || (slot->read_only && access == AccessKind::Write))
    return {.kind = PageAnswer::Kind::Mmio};
  const std::uint64_t base = gpa & ~(kPageSize - 1);
  return {.kind = PageAnswer::Kind::Memory,
          .host = slot->shared_at(base),
          .writable = !slot->read_only,
          .span_before = base - slot->range.base().value,
          .span_after = slot->range.end().value - base};
}

Outcome OrdinaryEnvironment::halt() {
  ++vcpu_.counters.exits;
  ++vcpu_.counters.halt_exits;
  vcpu_.run().exit_reason = kvm::KVM_EXIT_HLT;
  return_to_monitor(0);
  return Outcome::Exit;
}

Outcome OrdinaryEnvironment::td_call(Registers& /*registers*/) { return Outcome::InvalidOpcode; }
bool OrdinaryEnvironment::store_ve(const VeInfo& /*info*/) { return false; }

Outcome OrdinaryEnvironment::cpuid(std::uint32_t leaf, std::uint32_t subleaf, CpuidValue& value) {
  value = vcpu_cpuid(vcpu_, leaf, subleaf);
  return Outcome::Continue;
}

Outcome OrdinaryEnvironment::read_msr(std::uint32_t /*index*/, std::uint64_t& /*value*/) {
  return Outcome::Native;
}
Outcome OrdinaryEnvironment::write_msr(std::uint32_t /*index*/, std::uint64_t /*value*/) {
  return Outcome::Native;
}
Outcome OrdinaryEnvironment::write_control_register(unsigned /*number*/, std::uint64_t /*old_value*/,
                                                    std::uint64_t /*new_value*/) {
  return Outcome::Continue;
}

std::optional<std::uint8_t> OrdinaryEnvironment::pending_interrupt() {
  poll_stop();
  return std::nullopt;
}
void OrdinaryEnvironment::acknowledge_interrupt(std::uint8_t /*vector*/) {}

std::uint64_t OrdinaryEnvironment::tsc() { return vcpu_.vm.tsc_at(monotonic_ns()); }

}  // namespace virttdx::softhost
