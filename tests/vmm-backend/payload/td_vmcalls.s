# SPDX-License-Identifier: GPL-2.0-or-later
# Every TDVMCALL (Intel TDX Guest-Hypervisor Communication Interface, "TDG.VP.VMCALL Interface"): what it gives
# and what it refuses.

	.set	SCRATCH_PORT, 0x3FF
	.set	MTRR_CAP, 0xFE
	.set	PAT, 0x277
	.set	LVT_TIMER, 0x832
	.set	TIMER_INITIAL_COUNT, 0x838
	.set	SPURIOUS_VECTOR, 0x80F
	.set	NO_MSR, 0x12345
	.set	IO_APIC, 0xFEC00000
	.set	BUFFER, 0x1100000

	.text
td_vmcalls:
	vmcall	"GetTdVmCallInfo", 0x10000, R10|R11|R12|R13|R14
	vmcall	"GetTdVmCallInfo leaf-1", 0x10000, R10|R11|R12|R13|R14, r12=1
	vmcall	"GetTdVmCallInfo leaf-2", 0x10000, r12=2

	vmcall	"Instruction.CPUID", 10, R10|R12|R13|R14|R15, r12=0x40000000
	vmcall	"Instruction.CPUID leaf-0xB", 10, R10|R15, r12=0xB, r13=0

	vmcall	"Instruction.IO write", 30, r12=1, r13=1, r14=SCRATCH_PORT, r15=0x5A
	vmcall	"Instruction.IO read", 30, R10|R11, r12=1, r14=SCRATCH_PORT
	vmcall	"Instruction.IO more-than-size", 30, r12=1, r13=1, r14=SCRATCH_PORT, r15=0x12345678
	vmcall	"Instruction.IO read-back", 30, R10|R11, r12=1, r14=SCRATCH_PORT
	vmcall	"Instruction.IO size-2", 30, R10|R11, r12=2, r14=0x9000
	vmcall	"Instruction.IO size-4", 30, R10|R11, r12=4, r14=0x9000
	vmcall	"Instruction.IO size-3", 30, r12=3, r14=SCRATCH_PORT
	vmcall	"Instruction.IO direction-2", 30, r12=1, r13=2, r14=SCRATCH_PORT

	vmcall	"Instruction.RDMSR", 31, R10|R11, r12=PAT
	vmcall	"Instruction.RDMSR unknown", 31, r12=NO_MSR
	vmcall	"Instruction.WRMSR", 32, r12=PAT, r13=0x0007040600070400
	vmcall	"Instruction.WRMSR read-back", 31, R10|R11, r12=PAT
	vmcall	"Instruction.WRMSR read-only", 32, r12=MTRR_CAP, r13=1
	vmcall	"Instruction.WRMSR unknown", 32, r12=NO_MSR, r13=1

	vmcall	"RequestMMIO write", 48, r12=4, r13=1, r14=IO_APIC+SHARED_BIT, r15=1
	vmcall	"RequestMMIO read", 48, R10|R11, r12=4, r14=IO_APIC+0x10+SHARED_BIT
	vmcall	"RequestMMIO nobody", 48, R10|R11, r12=8, r14=0xFE000000+SHARED_BIT
	vmcall	"RequestMMIO size-3", 48, r12=3, r14=IO_APIC+SHARED_BIT
	vmcall	"RequestMMIO direction-2", 48, r12=4, r13=2, r14=IO_APIC+SHARED_BIT
	vmcall	"RequestMMIO private", 48, r12=4, r14=IO_APIC

	call	sleep_until_the_timer

	vmcall	"MapGPA to-shared", 0x10001, r12=BUFFER+SHARED_BIT, r13=0x2000
	begin	"MapGPA shared-memory"
	mov	$SHARED_WINDOW+BUFFER, %ebx
	movl	$0x600D, (%rbx)
	mov	(%rbx), %eax
	finish	RAX
	vmcall	"MapGPA unaligned-gpa", 0x10001, R10|R11, r12=BUFFER+0x10, r13=0x1000
	vmcall	"MapGPA unaligned-size", 0x10001, R10|R11, r12=BUFFER, r13=0x1010
	vmcall	"MapGPA beyond-GPAW", 0x10001, R10|R11, r12=1<<48, r13=0x1000
	vmcall	"MapGPA across-SHARED-bit", 0x10001, R10|R11, r12=SHARED_BIT-0x1000, r13=0x2000
	vmcall	"MapGPA overflow", 0x10001, R10|R11, r12=0xFFFFFFFFFFFFF000, r13=0x2000

	vmcall	"GetQuote private", 0x10002, r12=BUFFER, r13=0x2000
	vmcall	"GetQuote bad-header", 0x10002, r12=BUFFER+SHARED_BIT, r13=0x2000
	mov	$SHARED_WINDOW+BUFFER, %ebx
	movq	$1, (%rbx)
	movq	$0, 8(%rbx)
	movq	$1024, 16(%rbx)
	vmcall	"GetQuote unaligned", 0x10002, r12=BUFFER+SHARED_BIT+0x10, r13=0x1000
	vmcall	"GetQuote no-service", 0x10002, r12=BUFFER+SHARED_BIT, r13=0x2000
	begin	"GetQuote status"
	mov	$SHARED_WINDOW+BUFFER, %ebx
	mov	8(%rbx), %rax
	mov	20(%rbx), %ecx
	finish	RAX|RCX

	vmcall	"MapGPA to-private", 0x10001, r12=BUFFER, r13=0x2000
	leaf	"MapGPA accept", 6, rcx=BUFFER
	begin	"MapGPA content"
	mov	$BUFFER, %ebx
	mov	(%rbx), %rax
	finish	RAX

	vmcall	"SetupEventNotifyInterrupt", 0x10004, r12=0x40
	vmcall	"SetupEventNotifyInterrupt vector-31", 0x10004, r12=31
	vmcall	"SetupEventNotifyInterrupt vector-256", 0x10004, r12=256

	vmcall	"Instruction.WBINVD", 54
	vmcall	"Instruction.PCONFIG", 65
	vmcall	"Service", 0x10005, r12=BUFFER+SHARED_BIT, r13=BUFFER+0x1000+SHARED_BIT
	vmcall	"MigTD", 0x10006, r12=1
	vmcall	"unknown 0x10007", 0x10007
	vmcall	"unknown 11", 11
	vmcall	"vendor 0x1234", 0, r10=0x1234
	ret

# The local APIC's timer ends a TDVMCALL<Instruction.HLT>, then interrupts the guest.
sleep_until_the_timer:
	vmcall	"Instruction.HLT apic", 32, r12=SPURIOUS_VECTOR, r13=0x1FF
	vmcall	"Instruction.HLT lvt", 32, r12=LVT_TIMER, r13=0x40
	vmcall	"Instruction.HLT count", 32, r12=TIMER_INITIAL_COUNT, r13=1000
	vmcall	"Instruction.HLT", 12
	begin	"Instruction.HLT interrupt"
	sti
	nop
	nop
	cli
	finish
	cli
	ret

# Nothing comes after it.
last_case:
	mov	$0x10003, %r11d
	movabs	$0x8000000000000099, %r12
	mov	$0x123000, %r13d
	movabs	$0x646f6f67206c6c61, %r14	# "all good"
	mov	$0x21, %r15d
	xor	%r10d, %r10d
	mov	$VMCALL_REGISTERS, %ecx
	xor	%eax, %eax
	tdcall
	jmp	last_case
