# SPDX-License-Identifier: GPL-2.0-or-later
# Printing on COM1 by TDVMCALL<Instruction.IO>, and the state of the case under way.

	.text
# RAX: the name; RDX: where the case goes on after an exception.
begin_case:
	mov	%rax, case_name(%rip)
	mov	%rdx, case_resume(%rip)
	movq	$-1, seen_vector(%rip)
	xor	%eax, %eax
	xor	%ebx, %ebx
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%ebp, %ebp
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	ret

keep_registers:
	mov	%rax, registers + 0*8(%rip)
	mov	%rcx, registers + 1*8(%rip)
	mov	%rdx, registers + 2*8(%rip)
	mov	%rbx, registers + 3*8(%rip)
	mov	%rbp, registers + 5*8(%rip)
	mov	%rsi, registers + 6*8(%rip)
	mov	%rdi, registers + 7*8(%rip)
	mov	%r8, registers + 8*8(%rip)
	mov	%r9, registers + 9*8(%rip)
	mov	%r10, registers + 10*8(%rip)
	mov	%r11, registers + 11*8(%rip)
	mov	%r12, registers + 12*8(%rip)
	mov	%r13, registers + 13*8(%rip)
	mov	%r14, registers + 14*8(%rip)
	mov	%r15, registers + 15*8(%rip)
	ret

# EDI: the registers to print when there was no exception.
report_case:
	mov	%edi, %ebp
	mov	case_name(%rip), %rsi
	call	print
	cmpq	$-1, seen_vector(%rip)
	jne	1f
	call	print_registers
	jmp	2f
1:	call	print_exception
2:	mov	$'\n', %al
	jmp	print_character

# EBP: their bits.
print_registers:
	test	%ebp, %ebp
	jnz	1f
	lea	no_exception(%rip), %rsi
	jmp	print
1:	xor	%ebx, %ebx
2:	bt	%ebx, %ebp
	jnc	3f
	lea	register_names(%rip), %rsi
	lea	(%rsi,%rbx,8), %rsi
	call	print
	lea	registers(%rip), %rdi
	mov	(%rdi,%rbx,8), %rdi
	call	print_number
3:	inc	%ebx
	cmp	$16, %ebx
	jb	2b
	ret

print_exception:
	mov	seen_vector(%rip), %rax
	cmp	$20, %eax
	je	print_ve
	cmp	$20, %eax
	ja	1f
	lea	exception_names(%rip), %rsi
	lea	(%rsi,%rax,8), %rsi
	call	print
	mov	seen_vector(%rip), %rax
	mov	$WITH_ERROR_CODE, %edx
	bt	%eax, %edx
	jnc	2f
	lea	error_is(%rip), %rsi
	call	print
	mov	seen_error(%rip), %rdi
	call	print_number
	cmpl	$14, seen_vector(%rip)
	jne	2f
	lea	cr2_is(%rip), %rsi
	call	print
	mov	seen_cr2(%rip), %rdi
	jmp	print_number
1:	lea	interrupt_is(%rip), %rsi
	call	print
	mov	seen_vector(%rip), %rdi
	jmp	print_number
2:	ret

# What TDG.VP.VEINFO.GET has told. Of an EPT violation there is no instruction length.
print_ve:
	xor	%ebx, %ebx
1:	lea	ve_names(%rip), %rsi
	mov	(%rsi,%rbx,8), %rsi
	lea	ve_names_base(%rip), %rdi
	add	%rdi, %rsi
	call	print
	lea	seen_ve(%rip), %rdi
	mov	(%rdi,%rbx,8), %rdi
	call	print_number
	inc	%ebx
	cmpq	$48, seen_ve(%rip)
	jne	2f
	cmp	$4, %ebx
	je	3f
2:	cmp	$6, %ebx
	jb	1b
3:	ret

# RDI as hexadecimal number.
print_number:
	lea	hexadecimal(%rip), %rsi
	call	print
	mov	$60, %r9d
1:	test	%r9d, %r9d
	jz	2f
	mov	%rdi, %rax
	mov	%r9d, %ecx
	shr	%cl, %rax
	jnz	2f
	sub	$4, %r9d
	jmp	1b
2:	mov	%rdi, %rax
	mov	%r9d, %ecx
	shr	%cl, %rax
	and	$15, %eax
	lea	digits(%rip), %rdx
	mov	(%rdx,%rax), %al
	call	print_character
	sub	$4, %r9d
	jns	2b
	ret

# The text at RSI, which ends with 0.
print:
	lodsb
	test	%al, %al
	jz	1f
	call	print_character
	jmp	print
1:	ret

# AL. Changes RAX, RCX and R10 to R15 only.
print_character:
	movzx	%al, %r15d
	mov	$0x3F8, %r14d
	mov	$1, %r13d
	mov	$1, %r12d
	mov	$30, %r11d
	xor	%r10d, %r10d
	mov	$VMCALL_REGISTERS, %ecx
	xor	%eax, %eax
	tdcall
	ret

	.section .rodata
no_exception:
	.asciz	" no exception"
error_is:
	.asciz	" error="
cr2_is:
	.asciz	" cr2="
interrupt_is:
	.asciz	" interrupt="
hexadecimal:
	.asciz	"0x"
digits:
	.ascii	"0123456789abcdef"
	.balign	8
register_names:
	.irp	name, rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	.asciz	" \name="
	.balign	8
	.endr
exception_names:
	.irp	name, DE, DB, NM, BP, OF, BR, UD, NM, DF, 09, TS, NP, SS, GP, PF, 0F, MF, AC, MC, XM
	.asciz	" #\name"
	.balign	8
	.endr
# #DF, #TS, #NP, #SS, #GP, #PF, #AC.
	.set	WITH_ERROR_CODE, 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17
ve_names_base:
ve_reason:
	.asciz	" #VE reason="
ve_qualification:
	.asciz	" qualification="
ve_gla:
	.asciz	" gla="
ve_gpa:
	.asciz	" gpa="
ve_length:
	.asciz	" length="
ve_information:
	.asciz	" information="
	.balign	8
ve_names:
	.quad	ve_reason - ve_names_base, ve_qualification - ve_names_base, ve_gla - ve_names_base
	.quad	ve_gpa - ve_names_base, ve_length - ve_names_base, ve_information - ve_names_base

	.data
	.balign	8
case_name:
	.quad	0
case_resume:
	.quad	0
registers:
	.zero	16*8
seen_vector:
	.quad	0
seen_error:
	.quad	0
seen_cr2:
	.quad	0
# Exit reason, qualification, GLA, GPA, instruction length, instruction information.
seen_ve:
	.zero	6*8
