// SPDX-License-Identifier: GPL-2.0-or-later
// What the TDX module makes of RDMSR and WRMSR in a TD. Intel TDX Module ABI Specification, "MSR
// Virtualization"; table of module 1.5.05. An MSR that is not listed causes #VE.
#pragma once

#include <array>
#include <cstdint>

namespace virttdx::softhost::msr {

enum class Rule : std::uint8_t {
  kNative,
  kGp,
  kVe,
  kEmulated,              ///< the module answers
  kNativeIfElseGp,        ///< by the gate
  kNativeIfElseEmulated,  ///< by the gate
  kVeIfElseGp,            ///< by the gate
};

/// The feature that a rule asks for.
enum class Gate : std::uint8_t {
  kNone,
  kPerfmon,      ///< ATTRIBUTES.PERFMON
  kPks,          ///< ATTRIBUTES.PKS
  kPt,           ///< XFAM.PT
  kCet,          ///< XFAM.CET_U and CET_S
  kUintr,        ///< XFAM.ULI
  kLbr,          ///< XFAM.LBR
  kXfd,          ///< XFAM's AMX bits and CPUID(0xD,1).EAX[4]
  kWaitpkg,      ///< CPUID(7,0).ECX[5]
  kTsx,          ///< CPUID(7,0).EBX[4] and [11]
  kPconfig,      ///< CPUID(7,0).EDX[18]
  kDca,          ///< CPUID(1).ECX[18]
  kTme,          ///< CPUID(7,0).ECX[13]
  kTscDeadline,  ///< CPUID(1).ECX[24]
};

struct Range {
  std::uint32_t first;
  std::uint32_t last;
  Rule read;
  Rule write;
  Gate gate;
};

/// Ascending.
// clang-format off
inline constexpr std::array<Range, 69> kRanges = {{
    {0x10, 0x10, Rule::kNative, Rule::kVe, Gate::kNone},  // IA32_TIME_STAMP_COUNTER
    {0x48, 0x49, Rule::kNative, Rule::kNative, Gate::kNone},  // IA32_SPEC_CTRL .. IA32_PRED_CMD
    {0x87, 0x87, Rule::kVeIfElseGp, Rule::kVeIfElseGp, Gate::kPconfig},  // IA32_MKTME_PARTITIONING
    {0x8C, 0x8F, Rule::kGp, Rule::kGp, Gate::kNone},  // IA32_SGXLEPUBKEYHASHx
    {0x98, 0x9B, Rule::kGp, Rule::kGp, Gate::kNone},  // MSR_WBINVDP .. IA32_SMM_MONITOR_CTL
    {0x9E, 0x9E, Rule::kGp, Rule::kGp, Gate::kNone},  // IA32_SMBASE
    {0xBC, 0xBC, Rule::kNative, Rule::kVe, Gate::kNone},  // IA32_MISC_PACKAGE_CTLS
    {0xBD, 0xBD, Rule::kEmulated, Rule::kNative, Gate::kNone},  // IA32_XAPIC_DISABLE_STATUS
    {0xC1, 0xC8, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kPerfmon},  // IA32_PMCx
    {0xE1, 0xE1, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kWaitpkg},  // IA32_UMWAIT_CONTROL
    {0x10A, 0x10A, Rule::kEmulated, Rule::kNative, Gate::kNone},  // IA32_ARCH_CAPABILITIES
    {0x10B, 0x10B, Rule::kNative, Rule::kNative, Gate::kNone},  // IA32_FLUSH_CMD
    {0x122, 0x122, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kTsx},  // IA32_TSX_CTRL
    {0x174, 0x176, Rule::kNative, Rule::kNative, Gate::kNone},  // IA32_SYSENTER_CS .. IA32_SYSENTER_EIP
    {0x186, 0x18D, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kPerfmon},  // IA32_PERFEVTSELx
    {0x195, 0x195, Rule::kGp, Rule::kGp, Gate::kNone},  // IA32_OVERCLOCKING_STATUS
    {0x1A0, 0x1A0, Rule::kNativeIfElseEmulated, Rule::kVe, Gate::kPerfmon},  // IA32_MISC_ENABLE
    {0x1A6, 0x1A7, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kPerfmon},  // MSR_OFFCORE_RSPx
    {0x1C4, 0x1C5, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kXfd},  // IA32_XFD .. IA32_XFD_ERR
    {0x1D9, 0x1D9, Rule::kEmulated, Rule::kEmulated, Gate::kNone},  // IA32_DEBUGCTL
    {0x1F8, 0x1FA, Rule::kVeIfElseGp, Rule::kVeIfElseGp, Gate::kDca},  // IA32_PLATFORM_DCA_CAP .. IA32_DCA_0_CAP
    {0x276, 0x276, Rule::kGp, Rule::kGp, Gate::kNone},  // MSR_SLAM_ENABLE
    {0x277, 0x277, Rule::kNative, Rule::kNative, Gate::kNone},  // IA32_PAT
    {0x309, 0x310, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kPerfmon},  // IA32_FIXED_CTRx
    {0x329, 0x329, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kPerfmon},  // IA32_PERF_METRICS
    {0x345, 0x345, Rule::kNativeIfElseEmulated, Rule::kNativeIfElseGp, Gate::kPerfmon},  // IA32_PERF_CAPABILITIES
    {0x38D, 0x392, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kPerfmon},  // IA32_FIXED_CTR_CTRL .. IA32_PERF_GLOBAL_INUSE
    {0x3F1, 0x3F2, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kPerfmon},  // IA32_PEBS_ENABLE .. MSR_PEBS_MATRIX_VECT
    {0x3F6, 0x3F7, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kPerfmon},  // MSR_PEBS_LD_LATENCY .. MSR_PEBS_FRONTEND
    {0x480, 0x480, Rule::kEmulated, Rule::kGp, Gate::kNone},  // IA32_VMX_BASIC
    {0x481, 0x484, Rule::kVe, Rule::kGp, Gate::kNone},  // IA32_VMX_PINBASED_CTLS .. IA32_VMX_ENTRY_CTLS
    {0x485, 0x489, Rule::kEmulated, Rule::kGp, Gate::kNone},  // IA32_VMX_MISC .. IA32_VMX_CR4_FIXED1
    {0x48A, 0x48A, Rule::kVe, Rule::kGp, Gate::kNone},  // IA32_VMX_VMCS_ENUM
    {0x48B, 0x492, Rule::kEmulated, Rule::kGp, Gate::kNone},  // IA32_VMX_PROCBASED_CTLS2 .. IA32_VMX_PROCBASED_CTLS3
    {0x4C1, 0x4C8, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kPerfmon},  // IA32_A_PMCx
    {0x500, 0x500, Rule::kGp, Rule::kGp, Gate::kNone},  // IA32_SGX_SVN_STATUS
    {0x560, 0x561, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kPt},  // IA32_RTIT_OUTPUT_BASE .. IA32_RTIT_OUTPUT_MASK_PTRS
    {0x570, 0x572, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kPt},  // IA32_RTIT_CTL .. IA32_RTIT_CR3_MATCH
    {0x580, 0x587, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kPt},  // IA32_RTIT_ADDR0_A .. IA32_RTIT_ADDR3_B
    {0x600, 0x600, Rule::kNative, Rule::kNative, Gate::kNone},  // IA32_DS_AREA
    {0x6A0, 0x6A0, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kCet},  // IA32_U_CET
    {0x6A2, 0x6A2, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kCet},  // IA32_S_CET
    {0x6A4, 0x6A8, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kCet},  // IA32_PL0_SSP .. IA32_INTERRUPT_SSP_TABLE_ADDR
    {0x6E0, 0x6E0, Rule::kVeIfElseGp, Rule::kVeIfElseGp, Gate::kTscDeadline},  // IA32_TSC_DEADLINE
    {0x6E1, 0x6E1, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kPks},  // IA32_PKRS
    {0x800, 0x801, Rule::kGp, Rule::kGp, Gate::kNone},  // Reserved for xAPIC MSRs
    {0x802, 0x802, Rule::kEmulated, Rule::kGp, Gate::kNone},  // IA32_X2APIC_APICID
    {0x804, 0x807, Rule::kGp, Rule::kGp, Gate::kNone},  // Reserved for xAPIC MSRs
    {0x808, 0x80C, Rule::kNative, Rule::kNative, Gate::kNone},  // IA32_X2APIC_TPR .. IA32_X2APIC_EOI
    {0x80E, 0x80E, Rule::kNative, Rule::kNative, Gate::kNone},  // Reserved for xAPIC MSRs
    {0x810, 0x827, Rule::kNative, Rule::kNative, Gate::kNone},  // IA32_X2APIC_ISRx .. IA32_X2APIC_IRRx
    {0x829, 0x82E, Rule::kGp, Rule::kGp, Gate::kNone},  // Reserved for xAPIC MSRs
    {0x831, 0x831, Rule::kGp, Rule::kGp, Gate::kNone},  // Reserved for xAPIC MSRs
    {0x83F, 0x83F, Rule::kNative, Rule::kNative, Gate::kNone},  // IA32_X2APIC_SELF_IPI
    {0x840, 0x8FF, Rule::kGp, Rule::kGp, Gate::kNone},  // Reserved for xAPIC MSRs
    {0x981, 0x984, Rule::kVeIfElseGp, Rule::kVeIfElseGp, Gate::kTme},  // IA32_TME_CAPABILITY .. IA32_TME_EXCLUDE_BASE
    {0x985, 0x98A, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kUintr},  // IA32_UINTR_RR .. IA32_UINTR_TT
    {0xC80, 0xC80, Rule::kNative, Rule::kVe, Gate::kNone},  // IA32_DEBUG_INTERFACE
    {0xD90, 0xD90, Rule::kGp, Rule::kGp, Gate::kNone},  // IA32_BNDCFGS
    {0xD93, 0xD93, Rule::kGp, Rule::kGp, Gate::kNone},  // IA32_PASID
    {0xDA0, 0xDA0, Rule::kNative, Rule::kEmulated, Gate::kNone},  // IA32_XSS
    {0x1200, 0x12FF, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kLbr},  // IA32_LBR_INFO
    {0x14CE, 0x14CF, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kLbr},  // IA32_LBR_CTL .. IA32_LBR_DEPTH
    {0x1500, 0x16FF, Rule::kNativeIfElseGp, Rule::kNativeIfElseGp, Gate::kLbr},  // IA32_LBR_x_FROM_IP .. IA32_LBR_x_TO_IP
    {0x1B01, 0x1B01, Rule::kNative, Rule::kNative, Gate::kNone},  // IA32_UARCH_MISC_CTL
    {0xC0000080, 0xC0000080, Rule::kNative, Rule::kEmulated, Gate::kNone},  // IA32_EFER
    {0xC0000081, 0xC0000082, Rule::kNative, Rule::kNative, Gate::kNone},  // IA32_STAR .. IA32_LSTAR
    {0xC0000084, 0xC0000084, Rule::kNative, Rule::kNative, Gate::kNone},  // IA32_FMASK
    {0xC0000100, 0xC0000103, Rule::kNative, Rule::kNative, Gate::kNone},  // IA32_FSBASE .. IA32_TSC_AUX
}};
// clang-format on

}  // namespace virttdx::softhost::msr
