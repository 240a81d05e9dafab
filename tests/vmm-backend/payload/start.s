# SPDX-License-Identifier: GPL-2.0-or-later
# Where the image's boot code jumps to, in 64-bit mode: the first byte of the payload.

	.set	CODE_64, 0x08
	.set	DATA, 0x10
	.set	CODE_32, 0x18

	.text
	.globl	_start
_start:
	lea	stack_end(%rip), %rsp
	lgdt	gdt_register(%rip)
	mov	$DATA, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	%eax, %es
	lea	1f(%rip), %rax
	push	$CODE_64
	push	%rax
	lretq
1:	call	make_idt
	# A TD with ATTRIBUTES.SEPT_VE_DISABLE has one case only: no other comes after it.
	mov	$1, %eax
	tdcall
	bt	$28, %rdx
	jc	fatal_case
	call	tdcall_leaves
	call	td_vmcalls
	call	ve_sources
	call	reduced_ve
	jmp	last_case

	.data
	.balign	8
gdt:
	.quad	0
	.quad	0x00AF9B000000FFFF
	.quad	0x00CF93000000FFFF
	.quad	0x00CF9B000000FFFF
gdt_register:
	.word	4*8 - 1
	.quad	gdt
	.balign	16
	.zero	2048
stack_end:
