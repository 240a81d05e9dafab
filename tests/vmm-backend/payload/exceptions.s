# SPDX-License-Identifier: GPL-2.0-or-later
# Every exception and interrupt is noted and goes on where its case ends.

	.set	VECTORS, 0x42
	.set	STUB_SIZE, 16

	.text
	.balign	STUB_SIZE
exception_stubs:
	.set	vector, 0
	.rept	VECTORS
	.if	vector >= 32
	push	$0
	.elseif	(WITH_ERROR_CODE >> vector & 1) == 0
	push	$0
	.endif
	push	$vector
	jmp	note_exception
	.balign	STUB_SIZE
	.set	vector, vector + 1
	.endr

note_exception:
	pop	%rax
	pop	%rdx
	mov	%rax, seen_vector(%rip)
	mov	%rdx, seen_error(%rip)
	mov	%cr2, %rdx
	mov	%rdx, seen_cr2(%rip)
	cmp	$32, %eax
	jae	2f
	cmp	$20, %eax
	jne	1f
	call	read_ve_information
1:	mov	case_resume(%rip), %rax
	mov	%rax, (%rsp)
	movq	$CODE_64, 8(%rsp)
	iretq
2:	mov	$0x80B, %ecx
	xor	%eax, %eax
	xor	%edx, %edx
	wrmsr
	jmp	1b

# TDG.VP.VEINFO.GET; zeros while the information is to be kept.
read_ve_information:
	xor	%ecx, %ecx
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%edx, %edx
	cmpb	$0, keep_ve_information(%rip)
	jne	1f
	mov	$3, %eax
	tdcall
1:	mov	%rcx, seen_ve + 0*8(%rip)
	mov	%rdx, seen_ve + 1*8(%rip)
	mov	%r8, seen_ve + 2*8(%rip)
	mov	%r9, seen_ve + 3*8(%rip)
	mov	%r10d, %eax
	mov	%rax, seen_ve + 4*8(%rip)
	shr	$32, %r10
	mov	%r10, seen_ve + 5*8(%rip)
	ret

make_idt:
	lea	idt(%rip), %rdi
	lea	exception_stubs(%rip), %rax
	mov	$VECTORS, %ecx
1:	mov	%ax, (%rdi)
	movw	$CODE_64, 2(%rdi)
	movw	$0x8E00, 4(%rdi)
	mov	%rax, %rdx
	shr	$16, %rdx
	mov	%dx, 6(%rdi)
	shr	$16, %rdx
	mov	%edx, 8(%rdi)
	movl	$0, 12(%rdi)
	add	$16, %rdi
	add	$STUB_SIZE, %rax
	loop	1b
	lidt	idt_register(%rip)
	ret

	.data
# Not 0: #VE leaves its information where it is.
keep_ve_information:
	.byte	0
	.balign	8
idt_register:
	.word	VECTORS*16 - 1
	.quad	idt
	.balign	16
idt:
	.zero	VECTORS*16
