# SPDX-License-Identifier: GPL-2.0-or-later
# How a case is written. Each case prints one line: its name, then the registers that `show` selects or the
# exception that its instructions raised.

# Numbers of the registers, as TDG.VP.VMCALL counts them.
	.set	RAX, 1 << 0
	.set	RCX, 1 << 1
	.set	RDX, 1 << 2
	.set	RBX, 1 << 3
	.set	R8, 1 << 8
	.set	R9, 1 << 9
	.set	R10, 1 << 10
	.set	R11, 1 << 11
	.set	R12, 1 << 12
	.set	R13, 1 << 13
	.set	R14, 1 << 14
	.set	R15, 1 << 15
# TDVMCALLs: R10 to R15.
	.set	VMCALL_REGISTERS, 0xFC00

# Linear addresses are GPAs below 1 GiB; the same GPAs with the SHARED bit (GPAW 48) lie from here on.
	.set	SHARED_BIT, 1 << 47
	.set	SHARED_WINDOW, 0x40000000

# Starts a case. All registers but RSP are 0 when its instructions begin.
	.macro	begin name:req
	.pushsection .rodata
8:	.asciz	"\name"
	.popsection
	lea	8b(%rip), %rax
	lea	9f(%rip), %rdx
	call	begin_case
	.endm

# Ends it and prints its line. An exception comes here as well.
	.macro	finish show=0
	call	keep_registers
9:	mov	$(\show), %edi
	call	report_case
	.endm

# One TDCALL: RAX is the leaf with version and reserved bits.
	.macro	leaf name:req, rax:req, show=RAX, rcx=0, rdx=0, r8=0, r9=0
	begin	"\name"
	movabs	$(\rcx), %rcx
	movabs	$(\rdx), %rdx
	movabs	$(\r8), %r8
	movabs	$(\r9), %r9
	movabs	$(\rax), %rax
	tdcall
	finish	"\show"
	.endm

# One TDG.VP.VMCALL that passes R10 to R15.
	.macro	vmcall name:req, r11:req, show=R10, r12=0, r13=0, r14=0, r15=0, r10=0
	begin	"\name"
	movabs	$(\r10), %r10
	movabs	$(\r11), %r11
	movabs	$(\r12), %r12
	movabs	$(\r13), %r13
	movabs	$(\r14), %r14
	movabs	$(\r15), %r15
	mov	$VMCALL_REGISTERS, %ecx
	tdcall
	finish	"\show"
	.endm

# Instructions without operands to prepare.
	.macro	instruction name:req, code:vararg
	begin	"\name"
	\code
	finish
	.endm
