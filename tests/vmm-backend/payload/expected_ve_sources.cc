// SPDX-License-Identifier: GPL-2.0-or-later
// Intel TDX Module Base Specification, "CPU Virtualization": which instructions and accesses are #VE, #GP or
// #UD in a TD; which CPUID leaves and MSRs, by the module's own tables. Exit reasons, qualifications and
// instruction information: Intel SDM volume 3, appendix C and "Information for VM Exits".
#include <fmt/format.h>

#include "expected_lines.h"

namespace virttdx::test {
namespace {

constexpr const char* kGeneralProtection = "#GP error=0x0";
constexpr const char* kInvalidOpcode = "#UD";
constexpr const char* kNoException = "no exception";

// Exit reasons.
constexpr unsigned kCpuid = 10, kHlt = 12, kInvd = 13, kVmcall = 18, kControlRegister = 28, kIo = 30,
                   kRdmsr = 31, kWrmsr = 32, kEptViolation = 48, kWbinvd = 54;

std::string ve(unsigned reason, unsigned length, std::uint64_t qualification = 0, unsigned information = 0) {
  return fmt::format("#VE reason={:#x} qualification={:#x} gla=0x0 gpa=0x0 length={:#x} information={:#x}",
                     reason, qualification, length, information);
}

ExpectedLines cpuid(const PayloadTd& td) {
  ExpectedLines lines = {{"CPUID 0x21", "rax=0x0 rcx=0x20202020 rdx=0x5844546c rbx=0x65746e49"}};
  for (const char* const leaf :
       {"0x40000000", "0x4fffffff", "2", "6", "9", "0xb", "0x16", "0x1f", "0x80000002"})
    lines.push_back({std::string("CPUID ") + leaf, ve(kCpuid, 2)});
  lines.push_back({"CPUID 0x15", fmt::format("rax=0x1 rcx=0x17d7840 rdx=0x0 rbx={:#x}", td.tsc_frequency)});
  return lines;
}

ExpectedLines msrs() {
  return {
      {"RDMSR EFER", "rax=0xd01 rdx=0x0"},
      {"RDMSR APIC_BASE", ve(kRdmsr, 2)},
      {"RDMSR FEATURE_CONTROL", ve(kRdmsr, 2)},
      {"RDMSR MTRRCAP", ve(kRdmsr, 2)},
      {"RDMSR X2APIC_ICR", ve(kRdmsr, 2)},
      {"RDMSR CSTAR", ve(kRdmsr, 2)},
      {"RDMSR outside-of-the-bitmap", ve(kRdmsr, 2)},
      {"RDMSR reserved-x2APIC", kGeneralProtection},
      {"RDMSR SMBASE", kGeneralProtection},
      {"RDMSR PMC0", kGeneralProtection},
      {"RDMSR UMWAIT_CONTROL", kGeneralProtection},
      {"RDMSR U_CET", kGeneralProtection},
      {"WRMSR TSC", ve(kWrmsr, 2)},
      {"WRMSR APIC_BASE", ve(kWrmsr, 2)},
      {"WRMSR X2APIC_TIMER_COUNT", ve(kWrmsr, 2)},
      {"WRMSR DEBUG_INTERFACE", ve(kWrmsr, 2)},
      {"WRMSR EFER-without-NXE", ve(kWrmsr, 2)},
      {"WRMSR EFER-without-SCE", kNoException},
      {"WRMSR XSS-beyond-XFAM", kGeneralProtection},
      {"WRMSR PKRS", kGeneralProtection},
      {"WRMSR X2APIC_ID", kGeneralProtection},
      {"WRMSR VMX_BASIC", kGeneralProtection},
  };
}

// SDM table 28-5: size less 1, bit 3 IN, 4 string, 5 REP, 6 immediate port, 31:16 port. Table 28-8: bits 9:7
// address size (1: 32 bits, 2: 64), of OUTS 17:15 segment (3: DS, 4: FS).
ExpectedLines ports() {
  constexpr unsigned kPort = 0x3FF << 16;
  return {
      {"IO IN-byte", ve(kIo, 1, kPort | 0x08)},
      {"IO IN-word", ve(kIo, 2, kPort | 0x09)},
      {"IO IN-dword", ve(kIo, 1, kPort | 0x0B)},
      {"IO IN-immediate", ve(kIo, 2, 0x70 << 16 | 0x48)},
      {"IO OUT-byte", ve(kIo, 1, kPort)},
      {"IO OUT-word", ve(kIo, 2, kPort | 0x01)},
      {"IO OUT-dword", ve(kIo, 1, kPort | 0x03)},
      {"IO OUT-immediate", ve(kIo, 2, 0x80 << 16 | 0x40)},
      {"IO INS-byte", ve(kIo, 1, kPort | 0x18, 2 << 7)},
      {"IO OUTS-dword", ve(kIo, 1, kPort | 0x13, 2 << 7 | 3 << 15)},
      {"IO OUTS-address-32", ve(kIo, 2, kPort | 0x10, 1 << 7 | 3 << 15)},
      {"IO OUTS-FS", ve(kIo, 2, kPort | 0x10, 2 << 7 | 4 << 15)},
      {"IO REP-INS", ve(kIo, 3, kPort | 0x39, 2 << 7)},
      {"IO REP-OUTS", ve(kIo, 2, kPort | 0x30, 2 << 7 | 3 << 15)},
  };
}

ExpectedLines other_instructions() {
  return {
      {"HLT", ve(kHlt, 1)},
      {"INVD", ve(kInvd, 2)},
      {"WBINVD", ve(kWbinvd, 2)},
      {"VMCALL", ve(kVmcall, 3)},
      // The payload leaves the first one's information unread: the second one becomes a #DF.
      {"#VE kept", ve(0, 0)},
      {"#VE in-#VE", "#DF error=0x0"},
      {"#VE first-one", "rax=0x0 rcx=0xc r10=0x1"},
  };
}

// SDM table 28-3: bits 3:0 the register's number, 11:8 the general one's (RBX: 3).
ExpectedLines control_registers() {
  const std::string cr0 = ve(kControlRegister, 3, 3 << 8 | 0), cr4 = ve(kControlRegister, 3, 3 << 8 | 4);
  return {
      {"CR0 TS", kNoException},
      {"CR0 CLTS", kNoException},
      {"CR0 without-NE", cr0},
      {"CR0 CD", cr0},
      {"CR0 reserved", cr0},
      {"CR0 PG-without-PE", kGeneralProtection},
      {"CR4 without-MCE", cr4},
      {"CR4 VMXE", cr4},
      {"CR4 SMXE", cr4},
      {"CR4 PKE", kGeneralProtection},
      {"CR4 CET", kGeneralProtection},
      {"CR4 reserved", kGeneralProtection},
      {"CR4 OSXSAVE", kNoException},
      {"XSETBV beyond-XFAM", kGeneralProtection},
      {"XSETBV", kNoException},
  };
}

// SDM table 28-7: bit 0 read, 1 write; 7 linear address valid, 8 its own translation. The GPA has the SHARED
// bit where the guest used it.
std::string ept_violation(unsigned access, std::uint64_t linear, std::uint64_t gpa) {
  return fmt::format("#VE reason={:#x} qualification={:#x} gla={:#x} gpa={:#x}", kEptViolation,
                     0x180U | access, linear, gpa);
}

ExpectedLines memory_accesses() {
  return {
      {"access MMIO-read", ept_violation(1, 0x50000123, 0x800010000123)},
      {"access MMIO-write", ept_violation(2, 0x50000456, 0x800010000456)},
      {"access pending-read", ept_violation(1, 0x1400010, 0x1400010)},
      {"access pending-write", ept_violation(2, 0x1400020, 0x1400020)},
      {"access accept", "rax=0x0"},
      {"access accepted", "rax=0x0"},
      // Present, reserved bit.
      {"access beyond-GPAW", "#PF error=0x9 cr2=0x80000000"},
  };
}

ExpectedLines refused_instructions() {
  ExpectedLines lines = {{"MONITOR", kInvalidOpcode},
                         {"MWAIT", kInvalidOpcode},
                         {"RSM", kInvalidOpcode},
                         {"RDPMC", kGeneralProtection}};
  for (const char* const name : {"GETSEC", "VMXON", "VMXOFF", "VMLAUNCH", "VMRESUME", "VMPTRLD", "VMPTRST",
                                 "VMCLEAR", "VMREAD", "VMWRITE", "INVEPT", "INVVPID", "VMFUNC", "ENCLS",
                                 "ENCLV", "SEAMCALL", "SEAMOPS", "SEAMRET", "PCONFIG"})
    lines.push_back({name, kInvalidOpcode});
  return lines;
}

}  // namespace

ExpectedLines expected_ve_sources(const PayloadTd& td) {
  ExpectedLines lines;
  for (const auto& part : {cpuid(td), msrs(), ports(), other_instructions(), control_registers(),
                           memory_accesses(), refused_instructions()})
    lines.insert(lines.end(), part.begin(), part.end());
  return lines;
}

}  // namespace virttdx::test
