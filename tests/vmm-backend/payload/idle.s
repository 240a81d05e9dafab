# SPDX-License-Identifier: GPL-2.0-or-later
# Another firmware for payload_image.h: halts and waits for interrupts that nobody sends, so that many such TDs cost no CPU time.

	.set	VMCALL_REGISTERS, 0xFC00
	.set	HLT, 12		# GHCI: TDG.VP.VMCALL<Instruction.HLT>

	.text
	.globl	_start
_start:
	xor	%eax, %eax
	mov	$VMCALL_REGISTERS, %ecx
	xor	%r10d, %r10d
	mov	$HLT, %r11d
	xor	%r12d, %r12d
	tdcall
	jmp	_start
