// SPDX-License-Identifier: GPL-2.0-or-later
// Intel TDX Guest-Hypervisor Communication Interface, "TDG.VP.VMCALL Interface", as Linux' KVM and the
// monitor answer it (Documentation/virt/kvm/api.rst, KVM_EXIT_TDX, KVM_EXIT_HYPERCALL). R10 is the status:
// 0x8000000000000000 INVALID_OPERAND, ..2 ALIGN_ERROR, ..3 SUBFUNC_UNSUPPORTED.
#include "expected_lines.h"

namespace virttdx::test {
namespace {

ExpectedLines information() {
  return {
      {"GetTdVmCallInfo", "r10=0x0 r11=0x0 r12=0x0 r13=0x0 r14=0x0"},
      // Bit 1: SetupEventNotifyInterrupt.
      {"GetTdVmCallInfo leaf-1", "r10=0x0 r11=0x2 r12=0x0 r13=0x0 r14=0x0"},
      {"GetTdVmCallInfo leaf-2", "r10=0x8000000000000000"},
      // "KVMKVMKVM" and the highest leaf of it (Documentation/virt/kvm/x86/cpuid.rst).
      {"Instruction.CPUID", "r10=0x0 r12=0x40000001 r13=0x4b4d564b r14=0x564b4d56 r15=0x4d"},
      {"Instruction.CPUID leaf-0xB", "r10=0x0 r15=0x0"},
  };
}

ExpectedLines instructions() {
  return {
      {"Instruction.IO write", "r10=0x0"},
      {"Instruction.IO read", "r10=0x0 r11=0x5a"},
      {"Instruction.IO more-than-size", "r10=0x0"},
      {"Instruction.IO read-back", "r10=0x0 r11=0x78"},
      // Ports without a device.
      {"Instruction.IO size-2", "r10=0x0 r11=0xffff"},
      {"Instruction.IO size-4", "r10=0x0 r11=0xffffffff"},
      {"Instruction.IO size-3", "r10=0x8000000000000000"},
      {"Instruction.IO direction-2", "r10=0x8000000000000000"},
      // SDM volume 3, "IA32_PAT MSR": its value at reset.
      {"Instruction.RDMSR", "r10=0x0 r11=0x7040600070406"},
      {"Instruction.RDMSR unknown", "r10=0x8000000000000000"},
      {"Instruction.WRMSR", "r10=0x0"},
      {"Instruction.WRMSR read-back", "r10=0x0 r11=0x7040600070400"},
      {"Instruction.WRMSR read-only", "r10=0x8000000000000000"},
      {"Instruction.WRMSR unknown", "r10=0x8000000000000000"},
      // 82093AA I/O APIC: register 1 is its version 0x11 and the number of its last pin, 23.
      {"RequestMMIO write", "r10=0x0"},
      {"RequestMMIO read", "r10=0x0 r11=0x170011"},
      {"RequestMMIO nobody", "r10=0x0 r11=0xffffffffffffffff"},
      {"RequestMMIO size-3", "r10=0x8000000000000000"},
      {"RequestMMIO direction-2", "r10=0x8000000000000000"},
      {"RequestMMIO private", "r10=0x8000000000000000"},
      {"Instruction.HLT apic", "r10=0x0"},
      {"Instruction.HLT lvt", "r10=0x0"},
      {"Instruction.HLT count", "r10=0x0"},
      {"Instruction.HLT", "r10=0x0"},
      {"Instruction.HLT interrupt", "interrupt=0x40"},
  };
}

// A refused MapGPA tells in R11 where it stopped. Quote status 0x8000000000000001: service unavailable.
ExpectedLines memory_and_quotes() {
  return {
      {"MapGPA to-shared", "r10=0x0"},
      {"MapGPA shared-memory", "rax=0x600d"},
      {"MapGPA unaligned-gpa", "r10=0x8000000000000002 r11=0x1100010"},
      {"MapGPA unaligned-size", "r10=0x8000000000000002 r11=0x1100000"},
      {"MapGPA beyond-GPAW", "r10=0x8000000000000000 r11=0x1000000000000"},
      {"MapGPA across-SHARED-bit", "r10=0x8000000000000000 r11=0x7ffffffff000"},
      {"MapGPA overflow", "r10=0x8000000000000000 r11=0xfffffffffffff000"},
      {"GetQuote private", "r10=0x8000000000000000"},
      {"GetQuote bad-header", "r10=0x8000000000000000"},
      {"GetQuote unaligned", "r10=0x8000000000000002"},
      {"GetQuote no-service", "r10=0x0"},
      {"GetQuote status", "rax=0x8000000000000001 rcx=0x0"},
      // What was shared comes back as a new page of zeros.
      {"MapGPA to-private", "r10=0x0"},
      {"MapGPA accept", "rax=0x0"},
      {"MapGPA content", "rax=0x0"},
      {"SetupEventNotifyInterrupt", "r10=0x0"},
      {"SetupEventNotifyInterrupt vector-31", "r10=0x8000000000000000"},
      {"SetupEventNotifyInterrupt vector-256", "r10=0x8000000000000000"},
  };
}

ExpectedLines unsupported() {
  ExpectedLines lines;
  for (const char* const name :
       {"Instruction.WBINVD", "Instruction.PCONFIG", "Service", "MigTD", "unknown 0x10007", "unknown 11"})
    lines.push_back({name, "r10=0x8000000000000003"});
  // KVM's hypercall interface: -KVM_ENOSYS.
  lines.push_back({"vendor 0x1234", "r10=0xfffffffffffffc18"});
  return lines;
}

}  // namespace

ExpectedLines expected_td_vmcalls() {
  ExpectedLines lines;
  for (const auto& part : {information(), instructions(), memory_and_quotes(), unsupported()})
    lines.insert(lines.end(), part.begin(), part.end());
  return lines;
}

}  // namespace virttdx::test
