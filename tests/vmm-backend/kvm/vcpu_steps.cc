// SPDX-License-Identifier: GPL-2.0-or-later
// Steps on a vCPU's descriptor. Their first argument says which one: a step without its vCPU does nothing.
#include <fmt/format.h>

#include <array>

#include "ioctl_steps.h"

namespace virttdx {
namespace {

using Vcpu = IoctlMachine::Vcpu;

template <std::string (*Function)(IoctlMachine&, Vcpu&, const StepArguments&)>
std::string on_vcpu(IoctlMachine& machine, const StepArguments& arguments) {
  Vcpu* const vcpu = machine.vcpu(arguments[0]);
  return vcpu == nullptr ? "no vCPU" : Function(machine, *vcpu, arguments);
}

std::string registers_text(const kvm::kvm_regs& registers) {
  // RF: KVM's emulator sets it at moments that differ between processors.
  constexpr std::uint64_t kRf = 1 << 16;
  return fmt::format(
      "rip {:x} rflags {:x} rax {:x} rbx {:x} rcx {:x} rdx {:x} rsi {:x} rdi {:x} rsp {:x} rbp {:x} r8 {:x} "
      "r15 {:x}",
      registers.rip, registers.rflags & ~kRf, registers.rax, registers.rbx, registers.rcx, registers.rdx,
      registers.rsi, registers.rdi, registers.rsp, registers.rbp, registers.r8, registers.r15);
}

std::string segment_text(const char* name, const kvm::kvm_segment& segment) {
  return fmt::format(" {} {:x} {:x} {:x} type {:x} p{} dpl{} db{} s{} l{} g{} avl{} u{}", name,
                     segment.selector, segment.base, segment.limit, segment.type, segment.present,
                     segment.dpl, segment.db, segment.s, segment.l, segment.g, segment.avl, segment.unusable);
}

std::string system_registers_text(const kvm::kvm_sregs& registers) {
  std::string text =
      fmt::format("gdt {:x} {:x} idt {:x} {:x} cr0 {:x} cr2 {:x} cr3 {:x} cr4 {:x} cr8 {:x} efer {:x}",
                  registers.gdt.base, registers.gdt.limit, registers.idt.base, registers.idt.limit,
                  registers.cr0, registers.cr2, registers.cr3, registers.cr4, registers.cr8, registers.efer);
  text += segment_text("cs", registers.cs) + segment_text("ds", registers.ds) +
          segment_text("es", registers.es) + segment_text("fs", registers.fs) +
          segment_text("gs", registers.gs) + segment_text("ss", registers.ss) +
          segment_text("tr", registers.tr) + segment_text("ldt", registers.ldt);
  return text;
}

std::string start_program(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& arguments) {
  return machine.start_at(vcpu, arguments[1]);
}

std::string run(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& arguments) {
  return machine.run(vcpu, arguments[1] != 0);
}

std::string run_with_argument(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& /*arguments*/) {
  return answer_text(machine.call(vcpu.fd, kvm::KVM_RUN, 1));
}

std::string run_with_registers_wanted(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& arguments) {
  vcpu.run().kvm_valid_regs = arguments[1];
  vcpu.run().kvm_dirty_regs = arguments[2];
  vcpu.run().immediate_exit = 1;
  const int answer = machine.call(vcpu.fd, kvm::KVM_RUN, 0);
  vcpu.run().immediate_exit = 0;
  vcpu.run().kvm_valid_regs = vcpu.run().kvm_dirty_regs = 0;
  return answer_text(answer);
}

std::string get_regs(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& /*arguments*/) {
  kvm::kvm_regs registers{};
  const int answer = machine.call_with(vcpu.fd, kvm::KVM_GET_REGS, registers);
  return answer < 0 ? answer_text(answer) : registers_text(registers);
}

std::string set_rax(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& arguments) {
  // Whether a read that is under way still lands in a register is the processor's business.
  if (vcpu.is_read_unanswered) return "a read is under way";
  kvm::kvm_regs registers{};
  machine.call_with(vcpu.fd, kvm::KVM_GET_REGS, registers);
  registers.rax = arguments[1];
  registers.r15 = arguments[1] + 1;
  return answer_text(machine.call_with(vcpu.fd, kvm::KVM_SET_REGS, registers));
}

std::string get_sregs(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& /*arguments*/) {
  kvm::kvm_sregs registers{};
  const int answer = machine.call_with(vcpu.fd, kvm::KVM_GET_SREGS, registers);
  return answer < 0 ? answer_text(answer) : system_registers_text(registers);
}

// A value of a control register that KVM takes, or refuses.
std::string set_control_registers(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& arguments) {
  // KVM's emulator may start over when the mode changes in the middle of an instruction.
  if (vcpu.is_read_unanswered) return "a read is under way";
  kvm::kvm_sregs registers{};
  machine.call_with(vcpu.fd, kvm::KVM_GET_SREGS, registers);
  const kvm::kvm_sregs before = registers;
  registers.cr0 = arguments[1];
  registers.cr4 = arguments[2];
  registers.efer = arguments[3];
  const int answer = machine.call_with(vcpu.fd, kvm::KVM_SET_SREGS, registers);
  std::string text = answer_text(answer);
  // Back to what the programs run in.
  kvm::kvm_sregs after = before;
  return text + " " + answer_text(machine.call_with(vcpu.fd, kvm::KVM_SET_SREGS, after));
}

std::string set_cpuid2(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& arguments) {
  std::vector<std::uint32_t> list(2 + 10 * 300);
  list[0] = static_cast<std::uint32_t>(arguments[1]);
  for (std::uint32_t i = 0; i < 300; ++i) list[2 + 10 * i] = 0x40000100 + i;
  return answer_text(machine.call_with(vcpu.fd, kvm::KVM_SET_CPUID2, list[0]));
}

std::string get_cpuid2(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& arguments) {
  std::vector<std::uint32_t> list(2 + 10 * 300);
  list[0] = static_cast<std::uint32_t>(arguments[1]);
  const int answer = machine.call_with(vcpu.fd, kvm::KVM_GET_CPUID2, list[0]);
  return fmt::format("{} nent {}", answer_text(answer), list[0]);
}

std::string get_msrs(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& arguments) {
  std::vector<std::uint32_t> list(2 + 4 * 300);
  list[0] = static_cast<std::uint32_t>(arguments[1]);
  for (std::uint32_t i = 0; i < 300; ++i) list[2 + 4 * i] = 0xDEAD;  // no processor has it
  return answer_text(machine.call_with(vcpu.fd, kvm::KVM_GET_MSRS, list[0]));
}

// The answer, and the value of what was asked for.
std::string msr_text(IoctlMachine& machine, Vcpu& vcpu, std::uint32_t index) {
  struct {
    kvm::kvm_msrs header{1, 0};
    kvm::kvm_msr_entry entry{};
  } msrs;
  msrs.entry.index = index;
  const int answer = machine.call_with(vcpu.fd, kvm::KVM_GET_MSRS, msrs);
  return fmt::format("{} msr {:x} {:x}", answer_text(answer), index, msrs.entry.data);
}

std::string set_up_machine_checks(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& arguments) {
  std::uint64_t capabilities = arguments[1];
  std::string text = answer_text(machine.call_with(vcpu.fd, kvm::KVM_X86_SETUP_MCE, capabilities));
  // IA32_MCG_CAP and _CTL, IA32_MC0_CTL, IA32_MC9_CTL, IA32_MC10_CTL.
  for (const std::uint32_t index : {0x179U, 0x17BU, 0x400U, 0x424U, 0x428U})
    text += ", " + msr_text(machine, vcpu, index);
  return text;
}

std::string set_machine_check_msr(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& arguments) {
  struct {
    kvm::kvm_msrs header{1, 0};
    kvm::kvm_msr_entry entry{};
  } msrs;
  msrs.entry.index = static_cast<std::uint32_t>(arguments[1]);
  msrs.entry.data = arguments[2];
  const std::string answer = answer_text(machine.call_with(vcpu.fd, kvm::KVM_SET_MSRS, msrs));
  return answer + ", " + msr_text(machine, vcpu, msrs.entry.index);
}

std::string get_mp_state(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& /*arguments*/) {
  kvm::kvm_mp_state state{99};
  const int answer = machine.call_with(vcpu.fd, kvm::KVM_GET_MP_STATE, state);
  return fmt::format("{} state {}", answer_text(answer), state.mp_state);
}

std::string set_mp_state(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& arguments) {
  kvm::kvm_mp_state state{static_cast<std::uint32_t>(arguments[1])};
  return answer_text(machine.call_with(vcpu.fd, kvm::KVM_SET_MP_STATE, state));
}

std::string set_signal_mask(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& arguments) {
  std::array<std::uint32_t, 4> mask{};
  mask[0] = static_cast<std::uint32_t>(arguments[1]);
  return answer_text(machine.call_with(vcpu.fd, kvm::KVM_SET_SIGNAL_MASK, mask[0]));
}

std::string interrupt(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& arguments) {
  auto number = static_cast<std::uint32_t>(arguments[1]);
  return answer_text(machine.call_with(vcpu.fd, kvm::KVM_INTERRUPT, number));
}

template <unsigned long Request, std::size_t Size>
std::string read_state(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& arguments) {
  std::array<std::byte, Size> structure{};
  const std::uint64_t address =
      arguments[1] == 0 ? reinterpret_cast<std::uint64_t>(structure.data()) : arguments[1];
  return answer_text(machine.call(vcpu.fd, Request, address));
}

template <unsigned long Request>
std::string number(IoctlMachine& machine, Vcpu& vcpu, const StepArguments& arguments) {
  return answer_text(machine.call(vcpu.fd, Request, arguments[1]));
}

constexpr std::uint64_t kBad = IoctlMachine::kBadPointer;
const std::vector<std::uint64_t> kWhich = {0, 1};

}  // namespace

std::vector<StepKind> vcpu_step_kinds() {
  return {
      {"start a program", {kWhich, {0, 0x100}}, on_vcpu<start_program>},
      {"KVM_RUN", {kWhich, {0, 0, 0, 1}}, on_vcpu<run>},
      {"KVM_RUN with an argument", {kWhich}, on_vcpu<run_with_argument>},
      {"KVM_RUN with kvm_valid_regs, kvm_dirty_regs",
       {kWhich, {0, 8}, {0, 8}},
       on_vcpu<run_with_registers_wanted>},
      {"KVM_GET_REGS", {kWhich}, on_vcpu<get_regs>},
      {"KVM_SET_REGS rax", {kWhich, {7, ~0ULL}}, on_vcpu<set_rax>},
      {"KVM_GET_SREGS", {kWhich}, on_vcpu<get_sregs>},
      {"KVM_SET_SREGS cr0, cr4, efer",
       {kWhich, {0x60000010, 0x10, 0x80000010, 1ULL << 32}, {0, 0x20, 1ULL << 30}, {0, 0x100, 2}},
       on_vcpu<set_control_registers>},
      {"KVM_SET_CPUID2", {kWhich, {1, 0, 2, 257}}, on_vcpu<set_cpuid2>},
      {"KVM_GET_CPUID2", {kWhich, {256, 1, 0}}, on_vcpu<get_cpuid2>},
      {"KVM_GET_MSRS of an unknown one", {kWhich, {1, 0, 255, 256}}, on_vcpu<get_msrs>},
      {"KVM_X86_SETUP_MCE",
       {kWhich, {10, 1 << 8 | 10, 1 << 24 | 32, 0, 33, 1 << 9 | 1, 1ULL << 40 | 1}},
       on_vcpu<set_up_machine_checks>},
      // IA32_MCG_CAP, _STATUS and _CTL, of bank 0 CTL, STATUS and ADDR, bank 31's CTL, bank 0's CTL2.
      {"KVM_SET_MSRS of a machine check's",
       {kWhich, {0x179, 0x17A, 0x17B, 0x400, 0x401, 0x402, 0x47C, 0x280}, {0, ~0ULL, 5, ~(1ULL << 10)}},
       on_vcpu<set_machine_check_msr>},
      {"KVM_GET_MP_STATE", {kWhich}, on_vcpu<get_mp_state>},
      {"KVM_SET_MP_STATE", {kWhich, {0, 1, 3, 77}}, on_vcpu<set_mp_state>},
      {"KVM_SET_SIGNAL_MASK", {kWhich, {8, 0, 7, 128}}, on_vcpu<set_signal_mask>},
      {"KVM_INTERRUPT", {kWhich, {256, ~0ULL}}, on_vcpu<interrupt>},
      {"KVM_GET_REGS to a bad address", {kWhich, {kBad}}, on_vcpu<number<kvm::KVM_GET_REGS>>},
      {"KVM_SET_REGS from a bad address", {kWhich, {kBad}}, on_vcpu<number<kvm::KVM_SET_REGS>>},
      {"KVM_SET_SREGS from a bad address", {kWhich, {kBad}}, on_vcpu<number<kvm::KVM_SET_SREGS>>},
      {"KVM_SET_CPUID2 from a bad address", {kWhich, {kBad}}, on_vcpu<number<kvm::KVM_SET_CPUID2>>},
      {"KVM_GET_SREGS2", {kWhich, {0, kBad}}, on_vcpu<read_state<kvm::KVM_GET_SREGS2, 320>>},
      {"KVM_GET_FPU", {kWhich, {0, kBad}}, on_vcpu<read_state<kvm::KVM_GET_FPU, 416>>},
      {"KVM_GET_XSAVE", {kWhich, {0, kBad}}, on_vcpu<read_state<kvm::KVM_GET_XSAVE, 4096>>},
      {"KVM_GET_XCRS", {kWhich, {0, kBad}}, on_vcpu<read_state<kvm::KVM_GET_XCRS, 392>>},
      {"KVM_GET_DEBUGREGS", {kWhich, {0, kBad}}, on_vcpu<read_state<kvm::KVM_GET_DEBUGREGS, 128>>},
      {"KVM_GET_VCPU_EVENTS", {kWhich, {0, kBad}}, on_vcpu<read_state<kvm::KVM_GET_VCPU_EVENTS, 64>>},
      {"KVM_GET_LAPIC", {kWhich, {0, kBad}}, on_vcpu<read_state<kvm::KVM_GET_LAPIC, 1024>>},
      {"KVM_SET_LAPIC", {kWhich, {0, kBad}}, on_vcpu<read_state<kvm::KVM_SET_LAPIC, 1024>>},
      {"KVM_MEMORY_ENCRYPT_OP of a vCPU",
       {kWhich, {0, kBad}},
       on_vcpu<read_state<kvm::KVM_MEMORY_ENCRYPT_OP, 24>>},
      {"KVM_PRE_FAULT_MEMORY", {kWhich, {0, kBad}}, on_vcpu<read_state<kvm::KVM_PRE_FAULT_MEMORY, 64>>},
      {"unknown ioctl of a vCPU", {kWhich, {0}}, on_vcpu<number<0xAEFF>>},
      {"ioctl of a VM on a vCPU", {kWhich, {0}}, on_vcpu<number<kvm::KVM_CREATE_VCPU>>},
  };
}

}  // namespace virttdx
