# SPDX-License-Identifier: GPL-2.0-or-later
# Another firmware for payload_image.h: places ACPI's registers and powers off (S5), in some thirty instructions.
# Everything by TDVMCALL: an I/O instruction would need an IDT.

	.set	VMCALL_REGISTERS, 0xFC00
	.set	IO, 30		# GHCI: TDG.VP.VMCALL<Instruction.IO>
	.set	PM_BASE, 0x600

	.macro	write_port size:req, port:req, value:req
	xor	%eax, %eax
	mov	$VMCALL_REGISTERS, %ecx
	xor	%r10d, %r10d
	mov	$IO, %r11d
	mov	$(\size), %r12d
	mov	$1, %r13d
	mov	$(\port), %r14d
	mov	$(\value), %r15d
	tdcall
	.endm

	.text
	.globl	_start
_start:
	write_port 4, 0xCF8, 0x8000F840		# LPC bridge: PMBASE
	write_port 4, 0xCFC, PM_BASE | 1
	write_port 4, 0xCF8, 0x8000F844		# ACPI_CNTL: enable
	write_port 1, 0xCFC, 0x80
	write_port 2, PM_BASE + 4, 0x2000	# PM1_CNT: SLP_EN
1:	jmp	1b
