# SPDX-License-Identifier: GPL-2.0-or-later
# The same CPUID leaves and MSRs once the TD has asked for fewer #VE (TDX Module Base Specification, "Reduced
# #VE"). The last family: there is no way back to what the others expect.

# CPUID(1).ECX [7 EST, 8 TM2, 18 DCA, 24 TSC_DEADLINE] in RCX, EDX [7 MCE, 12 MTRR, 14 MCA, 22 ACPI] in RDX.
	.macro	feature_bits name:req
	begin	"CPUID \name"
	mov	$1, %eax
	cpuid
	and	$0x01040180, %ecx
	and	$0x00405080, %edx
	finish	RCX|RDX
	.endm

	.text
reduced_ve:
	leaf	"TDG.VM.WR REDUCE_VE", 8, RAX|R8, rdx=LINUX_TD_CTLS, r8=8, r9=8
	leaf	"TDG.VM.RD TD_CTLS-reduced", 7, RAX|R8, rdx=TD_CTLS

	cpuid_case "reduced-2", 2, 0, RAX|RBX|RCX|RDX
	cpuid_case "reduced-6", 6
	cpuid_case "reduced-9", 9, 0, RAX|RBX|RCX|RDX
	cpuid_case "reduced-0x16", 0x16
	cpuid_case "reduced-0x1f", 0x1F, 9, RAX|RBX|RCX|RDX
	cpuid_case "reduced-0x80000002", 0x80000002
	cpuid_case "reduced-0x40000000", 0x40000000
	feature_bits "without-features"

	rdmsr_case "reduced-APIC_BASE", 0x1B
	rdmsr_case "reduced-FEATURE_CONTROL", 0x3A, RAX|RDX
	rdmsr_case "reduced-BIOS_SIGN_ID", 0x8B, RAX|RDX
	rdmsr_case "reduced-PLATFORM_INFO", 0xCE, RAX|RDX
	rdmsr_case "reduced-MTRRCAP", 0xFE
	rdmsr_case "reduced-MCG_CAP", 0x179
	rdmsr_case "reduced-X2APIC_ID", 0x802, RAX|RDX
	rdmsr_case "reduced-X2APIC_ICR", 0x830
	rdmsr_case "reduced-CSTAR", 0xC0000083
	rdmsr_case "reduced-outside-of-the-bitmap", 0x12345
	wrmsr_case "reduced-TSC", 0x10
	wrmsr_case "reduced-MISC_ENABLE-EST", 0x1A0, 0x10000
	wrmsr_case "reduced-unknown", 0x1234

	leaf	"TDG.VM.WR FEATURE_PARAVIRT_CTLS", 8, RAX|R8, rdx=FEATURE_PARAVIRT_CTLS, r8=0x18, r9=0x18
	leaf	"TDG.VM.RD FEATURE_PARAVIRT_CTLS", 7, RAX|R8, rdx=FEATURE_PARAVIRT_CTLS
	rdmsr_case "handled-MTRRCAP", 0xFE
	rdmsr_case "handled-MCG_CAP", 0x179
	leaf	"TDG.VM.WR LOCK", 8, RAX|R8, rdx=TD_CTLS, r8=1<<63, r9=1<<63
	leaf	"TDG.VM.WR locked", 8, rdx=TD_CTLS, r8=0, r9=8
	ret
