// SPDX-License-Identifier: GPL-2.0-or-later
// Intel TDX Module Base Specification, "Reduced #VE": what TD_CTLS.REDUCE_VE and FEATURE_PARAVIRT_CTLS make
// of CPUID leaves and MSRs that are #VE in other TDs.
#include <fmt/format.h>

#include "expected_lines.h"

namespace virttdx::test {
namespace {

constexpr const char* kGeneralProtection = "#GP error=0x0";
constexpr const char* kNoException = "no exception";
constexpr const char* kZeros = "rax=0x0 rcx=0x0 rdx=0x0 rbx=0x0";

// Exit reasons.
constexpr unsigned kCpuid = 10, kRdmsr = 31, kWrmsr = 32;

std::string ve(unsigned reason) {
  return fmt::format("#VE reason={:#x} qualification=0x0 gla=0x0 gpa=0x0 length=0x2 information=0x0", reason);
}

}  // namespace

ExpectedLines expected_reduced_ve() {
  return {
      {"TDG.VM.WR REDUCE_VE", "rax=0x0 r8=0x0"},
      // It turns on ENUM_TOPOLOGY and VIRT_CPUID2.
      {"TDG.VM.RD TD_CTLS-reduced", "rax=0x0 r8=0xe"},
      {"CPUID reduced-2", "rax=0xfeff01 rcx=0x0 rdx=0x0 rbx=0x0"},
      {"CPUID reduced-6", kNoException},
      {"CPUID reduced-9", kZeros},
      {"CPUID reduced-0x16", kNoException},
      // No such level: its number, and the x2APIC id.
      {"CPUID reduced-0x1f", "rax=0x0 rcx=0x9 rdx=0x0 rbx=0x0"},
      {"CPUID reduced-0x80000002", kNoException},
      {"CPUID reduced-0x40000000", ve(kCpuid)},
      {"CPUID without-features", "rcx=0x0 rdx=0x0"},
      {"RDMSR reduced-APIC_BASE", ve(kRdmsr)},
      {"RDMSR reduced-FEATURE_CONTROL", "rax=0x1 rdx=0x0"},
      {"RDMSR reduced-BIOS_SIGN_ID", "rax=0xffffffff rdx=0x0"},
      {"RDMSR reduced-PLATFORM_INFO", "rax=0x0 rdx=0x0"},
      {"RDMSR reduced-MTRRCAP", kGeneralProtection},
      {"RDMSR reduced-MCG_CAP", kGeneralProtection},
      {"RDMSR reduced-X2APIC_ID", "rax=0x0 rdx=0x0"},
      {"RDMSR reduced-X2APIC_ICR", ve(kRdmsr)},
      {"RDMSR reduced-CSTAR", kGeneralProtection},
      {"RDMSR reduced-outside-of-the-bitmap", ve(kRdmsr)},
      {"WRMSR reduced-TSC", ve(kWrmsr)},
      {"WRMSR reduced-MISC_ENABLE-EST", kGeneralProtection},
      {"WRMSR reduced-unknown", kGeneralProtection},
      {"TDG.VM.WR FEATURE_PARAVIRT_CTLS", "rax=0x0 r8=0x0"},
      {"TDG.VM.RD FEATURE_PARAVIRT_CTLS", "rax=0x0 r8=0x18"},
      // The TD's CPUID was configured without MTRR and MCA: asking for them gives it neither.
      {"RDMSR handled-MTRRCAP", kGeneralProtection},
      {"RDMSR handled-MCG_CAP", kGeneralProtection},
      {"TDG.VM.WR LOCK", "rax=0x0 r8=0xe"},
      {"TDG.VM.WR locked", "rax=0xc0000c0300000000"},
  };
}

}  // namespace virttdx::test
