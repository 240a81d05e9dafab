// SPDX-License-Identifier: GPL-2.0-or-later
// KVM_GET/SET_REGS and KVM_GET/SET_SREGS of an ordinary VM's vCPU.
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "softhost/kvm/caller_memory.h"
#include "softhost/kvm/system_register_checks.h"
#include "softhost/kvm/vcpu.h"

namespace virttdx::softhost {
namespace {

struct RegisterName {
  Gpr engine;
  std::uint64_t kvm::kvm_regs::*field;
};

constexpr std::array kRegisters = {
    RegisterName{kRax, &kvm::kvm_regs::rax}, RegisterName{kRbx, &kvm::kvm_regs::rbx},
    RegisterName{kRcx, &kvm::kvm_regs::rcx}, RegisterName{kRdx, &kvm::kvm_regs::rdx},
    RegisterName{kRsi, &kvm::kvm_regs::rsi}, RegisterName{kRdi, &kvm::kvm_regs::rdi},
    RegisterName{kRsp, &kvm::kvm_regs::rsp}, RegisterName{kRbp, &kvm::kvm_regs::rbp},
    RegisterName{kR8, &kvm::kvm_regs::r8},   RegisterName{kR9, &kvm::kvm_regs::r9},
    RegisterName{kR10, &kvm::kvm_regs::r10}, RegisterName{kR11, &kvm::kvm_regs::r11},
    RegisterName{kR12, &kvm::kvm_regs::r12}, RegisterName{kR13, &kvm::kvm_regs::r13},
    RegisterName{kR14, &kvm::kvm_regs::r14}, RegisterName{kR15, &kvm::kvm_regs::r15},
};

struct SegmentName {
  SegmentRegister SystemRegisters::*engine;
  kvm::kvm_segment kvm::kvm_sregs::*field;
};

constexpr std::array kSegments = {
    SegmentName{&SystemRegisters::cs, &kvm::kvm_sregs::cs},
    SegmentName{&SystemRegisters::ds, &kvm::kvm_sregs::ds},
    SegmentName{&SystemRegisters::es, &kvm::kvm_sregs::es},
    SegmentName{&SystemRegisters::fs, &kvm::kvm_sregs::fs},
    SegmentName{&SystemRegisters::gs, &kvm::kvm_sregs::gs},
    SegmentName{&SystemRegisters::ss, &kvm::kvm_sregs::ss},
    SegmentName{&SystemRegisters::tr, &kvm::kvm_sregs::tr},
    SegmentName{&SystemRegisters::ldt, &kvm::kvm_sregs::ldt},
};

struct ControlName {
  std::uint64_t SystemRegisters::*engine;
  std::uint64_t kvm::kvm_sregs::*field;
};

constexpr std::array kControls = {
    ControlName{&SystemRegisters::cr0, &kvm::kvm_sregs::cr0},
    ControlName{&SystemRegisters::cr2, &kvm::kvm_sregs::cr2},
    ControlName{&SystemRegisters::cr3, &kvm::kvm_sregs::cr3},
    ControlName{&SystemRegisters::cr4, &kvm::kvm_sregs::cr4},
    ControlName{&SystemRegisters::cr8, &kvm::kvm_sregs::cr8},
    ControlName{&SystemRegisters::efer, &kvm::kvm_sregs::efer},
};

// VMX access rights: type 3:0, S 4, DPL 6:5, P 7, AVL 12, L 13, D/B 14, G 15.
kvm::kvm_segment to_kvm(const SegmentRegister& segment) {
  const auto bits = [&](unsigned shift, unsigned mask) {
    return static_cast<std::uint8_t>((segment.access_rights >> shift) & mask);
  };
  kvm::kvm_segment result{};
  result.base = segment.base;
  result.limit = segment.limit;
  result.selector = segment.selector;
  result.type = bits(0, 15);
  result.s = bits(4, 1);
  result.dpl = bits(5, 3);
  result.present = bits(7, 1);
  result.avl = bits(12, 1);
  result.l = bits(13, 1);
  result.db = bits(14, 1);
  result.g = bits(15, 1);
  result.unusable = segment.unusable;
  return result;
}

SegmentRegister from_kvm(const kvm::kvm_segment& segment) {
  const unsigned rights = (segment.type & 15U) | (segment.s & 1U) << 4 | (segment.dpl & 3U) << 5 |
                          (segment.present & 1U) << 7 | (segment.avl & 1U) << 12 | (segment.l & 1U) << 13 |
                          (segment.db & 1U) << 14 | (segment.g & 1U) << 15;
  return {.base = segment.base,
          .limit = segment.limit,
          .selector = segment.selector,
          .access_rights = static_cast<std::uint16_t>(rights),
          .unusable = segment.unusable != 0 || segment.present == 0};
}

// Where kvm_sregs and kvm_sregs2 begin to differ.
constexpr std::size_t kCommonSize = offsetof(kvm::kvm_sregs2, flags);
static_assert(kCommonSize == offsetof(kvm::kvm_sregs, interrupt_bitmap));
// KVM_SREGS2_FLAGS_PDPTRS_VALID. The engine reads the PDPTEs of PAE paging itself.
constexpr std::uint64_t kPdptrsValid = 1;

int read_system_registers(Vcpu& vcpu, kvm::kvm_sregs& result) {
  const CpuEngine* const engine = vcpu.engine();
  if (engine == nullptr) return -ENOMEM;
  const SystemRegisters registers = engine->system_registers();
  for (const auto& name : kSegments) result.*name.field = to_kvm(registers.*name.engine);
  for (const auto& name : kControls) result.*name.field = registers.*name.engine;
  result.gdt.base = registers.gdt.base;
  result.gdt.limit = registers.gdt.limit;
  result.idt.base = registers.idt.base;
  result.idt.limit = registers.idt.limit;
  result.apic_base = *vcpu.msrs.read(0x1B, MsrAccess::Vmm);
  return 0;
}

int load_system_registers(Vcpu& vcpu, const kvm::kvm_sregs& values) {
  if (!are_valid_system_registers(vcpu, values)) return -EINVAL;
  CpuEngine* const engine = vcpu.engine();
  if (engine == nullptr) return -ENOMEM;
  SystemRegisters registers;
  for (const auto& name : kSegments) registers.*name.engine = from_kvm(values.*name.field);
  for (const auto& name : kControls) registers.*name.engine = values.*name.field;
  registers.gdt = {.base = values.gdt.base, .limit = values.gdt.limit};
  registers.idt = {.base = values.idt.base, .limit = values.idt.limit};
  engine->set_system_registers(registers);
  return 0;
}

}  // namespace

int get_registers(Vcpu& vcpu, std::uintptr_t argument) {
  const CpuEngine* const engine = vcpu.engine();
  if (engine == nullptr) return -ENOMEM;
  const Registers registers = engine->registers();
  kvm::kvm_regs result{};
  for (const auto& name : kRegisters) result.*name.field = registers.gpr[name.engine];
  result.rip = registers.rip;
  result.rflags = registers.rflags;
  return write_argument(argument, result);
}

int set_registers(Vcpu& vcpu, std::uintptr_t argument) {
  kvm::kvm_regs values{};
  if (const int status = read_argument(argument, values); status != 0) return status;
  CpuEngine* const engine = vcpu.engine();
  if (engine == nullptr) return -ENOMEM;
  Registers registers;
  for (const auto& name : kRegisters) registers.gpr[name.engine] = values.*name.field;
  registers.rip = values.rip;
  registers.rflags = values.rflags | 2;
  engine->set_registers(registers);
  return 0;
}

int get_system_registers(Vcpu& vcpu, std::uintptr_t argument) {
  kvm::kvm_sregs result{};
  const int status = read_system_registers(vcpu, result);
  return status != 0 ? status : write_argument(argument, result);
}

int set_system_registers(Vcpu& vcpu, std::uintptr_t argument) {
  kvm::kvm_sregs values{};
  if (const int status = read_argument(argument, values); status != 0) return status;
  return load_system_registers(vcpu, values);
}

int get_system_registers2(Vcpu& vcpu, std::uintptr_t argument) {
  kvm::kvm_sregs values{};
  if (const int status = read_system_registers(vcpu, values); status != 0) return status;
  kvm::kvm_sregs2 result{};
  std::memcpy(&result, &values, kCommonSize);
  return write_argument(argument, result);
}

int set_system_registers2(Vcpu& vcpu, std::uintptr_t argument) {
  kvm::kvm_sregs2 values{};
  if (const int status = read_argument(argument, values); status != 0) return status;
  if ((values.flags & ~kPdptrsValid) != 0) return -EINVAL;
  kvm::kvm_sregs common{};
  std::memcpy(&common, &values, kCommonSize);
  return load_system_registers(vcpu, common);
}

}  // namespace virttdx::softhost
