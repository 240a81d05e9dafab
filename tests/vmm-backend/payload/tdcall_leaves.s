# SPDX-License-Identifier: GPL-2.0-or-later
# Every TDCALL leaf (Intel TDX Module ABI Specification, "Guest-Side (TDCALL) Interface Functions"): what it
# gives and what it refuses.

# Nobody has accepted memory here: 2 MiB for pages of 4 KiB, the next 2 MiB for one page of 2 MiB.
	.set	SMALL_PAGES, 0x1000000
	.set	LARGE_PAGE, 0x1200000
	.set	LEVEL_2M, 1
	.set	LEVEL_1G, 2
	.set	VERSION_1, 1 << 16
# Metadata fields of a TD and of the module.
	.set	ATTRIBUTES, 0x1110000300000000
	.set	XFAM, 0x1110000300000001
	.set	GPAW, 0x1110000000000003
	.set	TSC_FREQUENCY, 0x111000010000000C
	.set	CONFIG_FLAGS, 0x9110000300000016
	.set	TD_CTLS, 0x9110000300000017
	.set	LINUX_TD_CTLS, 0x1110000300000017
	.set	FEATURE_PARAVIRT_CTLS, 0x9110000300000022
	.set	NOTIFY_ENABLES, 0x9110000300000010
	.set	NUM_VCPUS, 0x9010000200000001
	.set	MRTD, 0x1310000300000000
	.set	MRCONFIGID, 0x1310000300000010
	.set	RTMR2, 0x1310000300000040 + 2*6
	.set	NO_TD_FIELD, 0x1110000300000FFF
	.set	ATTRIBUTES_FIXED1, 0x1900000300000001
	.set	XFAM_FIXED1, 0x1900000300000003
	.set	MAX_VCPUS_PER_TD, 0x9900000100000008
	.set	NO_SYSTEM_FIELD, 0x1900000300000FFF

	.text
tdcall_leaves:
	leaf	"TDG.VP.VMCALL", 0, RAX|R10|R11|R12|R13|R14, rcx=0xFC00
	leaf	"TDG.VP.VMCALL RAX-in-RCX", 0, rcx=0xFC01
	leaf	"TDG.VP.VMCALL RCX-in-RCX", 0, rcx=0xFC02
	leaf	"TDG.VP.VMCALL RSP-in-RCX", 0, rcx=0xFC10
	leaf	"TDG.VP.VMCALL RBP-in-RCX", 0, rcx=0xFC20
	leaf	"TDG.VP.VMCALL bit-32-in-RCX", 0, rcx=0x10000FC00
	leaf	"TDG.VP.INFO", 1, RAX|RCX|RDX|R8|R9|R10|R11
	leaf	"TDG.VP.INFO version-255", 1 | 255 << 16
	leaf	"TDG.VP.INFO reserved-bit-of-RAX", 1 | 1 << 32

	leaf	"TDG.MR.RTMR.EXTEND", 2, rcx=rtmr_data, rdx=2
	leaf	"TDG.MR.RTMR.EXTEND unaligned", 2, rcx=rtmr_data+8, rdx=2
	leaf	"TDG.MR.RTMR.EXTEND shared", 2, rcx=rtmr_data+SHARED_BIT, rdx=2
	leaf	"TDG.MR.RTMR.EXTEND index-4", 2, rcx=rtmr_data, rdx=4

	leaf	"TDG.VP.VEINFO.GET none", 3
	movb	$1, keep_ve_information(%rip)
	begin	"TDG.VP.VEINFO.GET"
	hlt
9:	mov	case_name(%rip), %rax
	lea	9f(%rip), %rdx
	call	begin_case
	mov	$3, %eax
	tdcall
	finish	RAX|RCX|RDX|R8|R9|R10
	leaf	"TDG.VP.VEINFO.GET again", 3
	movb	$0, keep_ve_information(%rip)

	leaf	"TDG.MR.REPORT", 4, rcx=td_report, rdx=report_data
	begin	"TDG.MR.REPORT type"
	mov	td_report(%rip), %eax
	mov	td_report + 128(%rip), %rcx
	mov	td_report + 512(%rip), %rdx
	mov	td_report + 520(%rip), %r8
	finish	RAX|RCX|RDX|R8
	leaf	"TDG.MR.REPORT unaligned", 4, rcx=td_report+512, rdx=report_data
	leaf	"TDG.MR.REPORT unaligned-data", 4, rcx=td_report, rdx=report_data+16
	leaf	"TDG.MR.REPORT subtype-1", 4, rcx=td_report, rdx=report_data, r8=1

	leaf	"TDG.VP.CPUIDVE.SET", 5, rcx=1
	instruction "TDG.VP.CPUIDVE.SET CPUID", cpuid
	leaf	"TDG.VP.CPUIDVE.SET reserved", 5, rcx=4
	leaf	"TDG.VP.CPUIDVE.SET off", 5, rcx=0

	leaf	"TDG.MEM.PAGE.ACCEPT 4K", 6, rcx=SMALL_PAGES
	leaf	"TDG.MEM.PAGE.ACCEPT 4K-again", 6, rcx=SMALL_PAGES
	leaf	"TDG.MEM.PAGE.ACCEPT 2M-over-4K", 6, rcx=SMALL_PAGES+LEVEL_2M
	leaf	"TDG.MEM.PAGE.ACCEPT 2M", 6, rcx=LARGE_PAGE+LEVEL_2M
	leaf	"TDG.MEM.PAGE.ACCEPT 2M-again", 6, rcx=LARGE_PAGE+LEVEL_2M
	leaf	"TDG.MEM.PAGE.ACCEPT 4K-in-2M", 6, rcx=LARGE_PAGE+0x1000
	leaf	"TDG.MEM.PAGE.ACCEPT 1G", 6, rcx=LEVEL_1G
	leaf	"TDG.MEM.PAGE.ACCEPT unaligned-2M", 6, rcx=LARGE_PAGE+0x1000+LEVEL_2M
	leaf	"TDG.MEM.PAGE.ACCEPT reserved-bit", 6, rcx=SMALL_PAGES+8
	leaf	"TDG.MEM.PAGE.ACCEPT shared", 6, rcx=SMALL_PAGES+SHARED_BIT
	leaf	"TDG.MEM.PAGE.ACCEPT beyond-GPAW", 6, rcx=1<<48

	leaf	"TDG.VM.RD ATTRIBUTES", 7, RAX|R8, rdx=ATTRIBUTES
	leaf	"TDG.VM.RD XFAM", 7, RAX|R8, rdx=XFAM
	leaf	"TDG.VM.RD TSC_FREQUENCY", 7, RAX|R8, rdx=TSC_FREQUENCY
	leaf	"TDG.VM.RD CONFIG_FLAGS", 7, RAX|R8, rdx=CONFIG_FLAGS
	leaf	"TDG.VM.RD TD_CTLS", 7, RAX|R8, rdx=TD_CTLS
	leaf	"TDG.VM.RD NUM_VCPUS", 7, RAX|R8, rdx=NUM_VCPUS
	leaf	"TDG.VM.RD MRTD", 7, RAX|R8, rdx=MRTD
	leaf	"TDG.VM.RD MRCONFIGID", 7, RAX|R8, rdx=MRCONFIGID
	leaf	"TDG.VM.RD RTMR2", 7, RAX|R8, rdx=RTMR2
	leaf	"TDG.VM.RD unknown-field", 7, rdx=NO_TD_FIELD
	leaf	"TDG.VM.RD RCX", 7, rcx=1, rdx=ATTRIBUTES

	leaf	"TDG.VM.WR NOTIFY_ENABLES", 8, RAX|R8, rdx=NOTIFY_ENABLES, r8=1, r9=1
	leaf	"TDG.VM.WR NOTIFY_ENABLES-back", 8, RAX|R8, rdx=NOTIFY_ENABLES, r8=0, r9=1
	leaf	"TDG.VM.WR ATTRIBUTES", 8, rdx=ATTRIBUTES, r8=1, r9=1
	leaf	"TDG.VM.WR PENDING_VE_DISABLE", 8, rdx=LINUX_TD_CTLS, r8=1, r9=1
	leaf	"TDG.VM.WR unknown-field", 8, rdx=NO_TD_FIELD, r8=1, r9=1
	leaf	"TDG.VM.WR TD_CTLS-reserved", 8, rdx=TD_CTLS, r8=1<<4, r9=1<<4
	leaf	"TDG.VM.WR ENUM_TOPOLOGY", 8, RAX|R8, rdx=LINUX_TD_CTLS, r8=2, r9=2
	leaf	"TDG.VM.WR ENUM_TOPOLOGY-off", 8, RAX|R8, rdx=LINUX_TD_CTLS, r8=0, r9=2
	leaf	"TDG.VM.WR FEATURE_PARAVIRT_CTLS-reserved", 8, rdx=FEATURE_PARAVIRT_CTLS, r8=-1, r9=-1

	leaf	"TDG.SYS.RD ATTRIBUTES_FIXED1", 11, RAX|R8, rdx=ATTRIBUTES_FIXED1
	leaf	"TDG.SYS.RD XFAM_FIXED1", 11, RAX|R8, rdx=XFAM_FIXED1
	leaf	"TDG.SYS.RD MAX_VCPUS_PER_TD", 11, RAX|R8, rdx=MAX_VCPUS_PER_TD
	leaf	"TDG.SYS.RD unknown-field", 11, rdx=NO_SYSTEM_FIELD

	leaf	"TDG.MR.VERIFYREPORT", 22, rcx=td_report
	leaf	"TDG.MR.VERIFYREPORT unaligned", 22, rcx=td_report+128
	incb	td_report + 80(%rip)
	leaf	"TDG.MR.VERIFYREPORT changed", 22, rcx=td_report

	leaf	"TDG.VP.RD", 9
	leaf	"TDG.VP.WR", 10
	leaf	"TDG.SYS.RDALL", 12
	leaf	"TDG.SERVTD.RD", 18
	leaf	"TDG.SERVTD.WR", 20
	leaf	"TDG.MEM.PAGE.ATTR.RD", 23
	leaf	"TDG.MEM.PAGE.ATTR.WR", 24
	leaf	"TDG.VP.ENTER", 25
	leaf	"TDG.VP.INVEPT", 26
	leaf	"TDG.VP.INVVPID", 27
	leaf	"TDG.SERVTD.REBIND.APPROVE", 33
	leaf	"unknown leaf-13", 13
	leaf	"unknown leaf-65535", 65535

	begin	"TDCALL 32-bit-code"
	lea	tdcall_in_32_bit_code(%rip), %rax
	push	$CODE_32
	push	%rax
	mov	%rsp, stack_before(%rip)
	lretq
9:	mov	stack_before(%rip), %rsp
	add	$16, %rsp
	xor	%edi, %edi
	call	report_case
	ret

	.code32
tdcall_in_32_bit_code:
	tdcall
	hlt
	.code64

	.data
	.balign	8
stack_before:
	.quad	0
	.balign	1024
td_report:
	.zero	1024
	.balign	64
report_data:
	.rept	8
	.quad	0x1122334455667788
	.endr
	.balign	64
rtmr_data:
	.rept	6
	.quad	0x0102030405060708
	.endr
	.zero	16
