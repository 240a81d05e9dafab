# SPDX-License-Identifier: GPL-2.0-or-later
# What an instruction or access raises in a TD: #VE with what TDG.VP.VEINFO.GET tells of it, or another
# exception in its place (Intel TDX Module Base Specification, "Virtualization Exception (#VE)").

	.set	PDPT, 0x80C000
	.set	HIGH_WINDOW, 0x80000000
	.set	NO_MEMORY, 0x10000000
	.set	PENDING, 0x1400000

	.text
ve_sources:
	call	cpuid_and_msrs
	call	ports
	call	other_instructions
	call	control_registers
	call	memory_accesses
	call	refused_instructions
	ret

	.macro	cpuid_case name:req, leaf:req, subleaf=0, show=0
	begin	"CPUID \name"
	mov	$\leaf, %eax
	mov	$\subleaf, %ecx
	cpuid
	finish	"\show"
	.endm

	.macro	rdmsr_case name:req, index:req, show=0
	begin	"RDMSR \name"
	mov	$\index, %ecx
	rdmsr
	finish	"\show"
	.endm

	.macro	wrmsr_case name:req, index:req, low=0, high=0
	begin	"WRMSR \name"
	mov	$\index, %ecx
	mov	$\low, %eax
	mov	$\high, %edx
	wrmsr
	finish
	.endm

cpuid_and_msrs:
	cpuid_case "0x21", 0x21, 0, RAX|RBX|RCX|RDX
	cpuid_case "0x40000000", 0x40000000
	cpuid_case "0x4fffffff", 0x4FFFFFFF
	cpuid_case "2", 2
	cpuid_case "6", 6
	cpuid_case "9", 9
	cpuid_case "0xb", 0xB
	cpuid_case "0x16", 0x16
	cpuid_case "0x1f", 0x1F
	cpuid_case "0x80000002", 0x80000002
	cpuid_case "0x15", 0x15, 0, RAX|RBX|RCX|RDX

	rdmsr_case "EFER", 0xC0000080, RAX|RDX
	rdmsr_case "APIC_BASE", 0x1B
	rdmsr_case "FEATURE_CONTROL", 0x3A
	rdmsr_case "MTRRCAP", 0xFE
	rdmsr_case "X2APIC_ICR", 0x830
	rdmsr_case "CSTAR", 0xC0000083
	rdmsr_case "outside-of-the-bitmap", 0x12345
	rdmsr_case "reserved-x2APIC", 0x801
	rdmsr_case "SMBASE", 0x9E
	rdmsr_case "PMC0", 0xC1
	rdmsr_case "UMWAIT_CONTROL", 0xE1
	rdmsr_case "U_CET", 0x6A0

	wrmsr_case "TSC", 0x10
	wrmsr_case "APIC_BASE", 0x1B, 0xFEE00D00
	wrmsr_case "X2APIC_TIMER_COUNT", 0x838
	wrmsr_case "DEBUG_INTERFACE", 0xC80
	wrmsr_case "EFER-without-NXE", 0xC0000080, 0x501
	wrmsr_case "EFER-without-SCE", 0xC0000080, 0xD00
	wrmsr_case "XSS-beyond-XFAM", 0xDA0, 0x100
	wrmsr_case "PKRS", 0x6E1
	wrmsr_case "X2APIC_ID", 0x802
	wrmsr_case "VMX_BASIC", 0x480
	ret

ports:
	.macro	port name:req, code:vararg
	begin	"IO \name"
	mov	$0x3FF, %edx
	mov	$1, %ecx
	lea	port_data(%rip), %rsi
	mov	%rsi, %rdi
	\code
	finish
	.endm
	port	"IN-byte", inb %dx, %al
	port	"IN-word", inw %dx, %ax
	port	"IN-dword", inl %dx, %eax
	port	"IN-immediate", inb $0x70, %al
	port	"OUT-byte", outb %al, %dx
	port	"OUT-word", outw %ax, %dx
	port	"OUT-dword", outl %eax, %dx
	port	"OUT-immediate", outb %al, $0x80
	port	"INS-byte", insb
	port	"OUTS-dword", outsl
	port	"OUTS-address-32", addr32 outsb
	port	"OUTS-FS", outsb %fs:(%rsi), %dx
	port	"REP-INS", rep insw
	port	"REP-OUTS", rep outsb
	ret

# Instructions that the assembler knows by other names or not at all.
	.macro	encoded name:req, code:vararg
	begin	"\name"
	lea	port_data(%rip), %rbx
	.byte	\code
	finish
	.endm

other_instructions:
	instruction "HLT", hlt
	instruction "INVD", invd
	instruction "WBINVD", wbinvd
	encoded	"VMCALL", 0x0F, 0x01, 0xC1
	movb	$1, keep_ve_information(%rip)
	instruction "#VE kept", hlt
	instruction "#VE in-#VE", hlt
	movb	$0, keep_ve_information(%rip)
	leaf	"#VE first-one", 3, RAX|RCX|R10
	ret

	.macro	control name:req, number:req, set=0, clear=0
	begin	"\name"
	mov	%cr\number, %rbx
	movabs	$(\set), %rax
	or	%rax, %rbx
	movabs	$(\clear), %rax
	not	%rax
	and	%rax, %rbx
	mov	%rbx, %cr\number
	finish
	.endm

control_registers:
	control	"CR0 TS", 0, set=8
	instruction "CR0 CLTS", clts
	control	"CR0 without-NE", 0, clear=0x20
	control	"CR0 CD", 0, set=0x40000000
	control	"CR0 reserved", 0, set=1<<32
	control	"CR0 PG-without-PE", 0, clear=1
	control	"CR4 without-MCE", 4, clear=0x40
	control	"CR4 VMXE", 4, set=0x2000
	control	"CR4 SMXE", 4, set=0x4000
	control	"CR4 PKE", 4, set=0x400000
	control	"CR4 CET", 4, set=0x800000
	control	"CR4 reserved", 4, set=0x80000000
	control	"CR4 OSXSAVE", 4, set=0x40000
	begin	"XSETBV beyond-XFAM"
	mov	$7, %eax
	xsetbv
	finish
	begin	"XSETBV"
	mov	$3, %eax
	xsetbv
	finish
	ret

	.macro	access name:req, linear:req, code:vararg
	begin	"access \name"
	mov	$\linear, %ebx
	\code
	finish	RAX
	.endm

memory_accesses:
	access	"MMIO-read", SHARED_WINDOW+NO_MEMORY+0x123, movb (%rbx), %al
	access	"MMIO-write", SHARED_WINDOW+NO_MEMORY+0x456, movl %eax, (%rbx)
	access	"pending-read", PENDING+0x10, movq (%rbx), %rax
	access	"pending-write", PENDING+0x20, movq %rax, (%rbx)
	leaf	"access accept", 6, rcx=PENDING
	access	"accepted", PENDING+0x10, movq (%rbx), %rax
	# Another translation of 1 GiB: a GPA with a bit above the SHARED bit.
	mov	$PDPT, %ebx
	movabs	$(1 << 48 | 0x83), %rax
	mov	%rax, 16(%rbx)
	mov	%cr3, %rax
	mov	%rax, %cr3
	access	"beyond-GPAW", HIGH_WINDOW, movb (%rbx), %al
	ret

refused_instructions:
	instruction "MONITOR", monitor
	instruction "MWAIT", mwait
	instruction "RSM", rsm
	instruction "RDPMC", rdpmc
	encoded	"GETSEC", 0x0F, 0x37
	encoded	"VMXON", 0xF3, 0x0F, 0xC7, 0x33
	encoded	"VMXOFF", 0x0F, 0x01, 0xC4
	encoded	"VMLAUNCH", 0x0F, 0x01, 0xC2
	encoded	"VMRESUME", 0x0F, 0x01, 0xC3
	encoded	"VMPTRLD", 0x0F, 0xC7, 0x33
	encoded	"VMPTRST", 0x0F, 0xC7, 0x3B
	encoded	"VMCLEAR", 0x66, 0x0F, 0xC7, 0x33
	encoded	"VMREAD", 0x0F, 0x78, 0xC3
	encoded	"VMWRITE", 0x0F, 0x79, 0xC3
	encoded	"INVEPT", 0x66, 0x0F, 0x38, 0x80, 0x03
	encoded	"INVVPID", 0x66, 0x0F, 0x38, 0x81, 0x03
	encoded	"VMFUNC", 0x0F, 0x01, 0xD4
	encoded	"ENCLS", 0x0F, 0x01, 0xCF
	encoded	"ENCLV", 0x0F, 0x01, 0xC0
	encoded	"SEAMCALL", 0x66, 0x0F, 0x01, 0xCF
	encoded	"SEAMOPS", 0x66, 0x0F, 0x01, 0xCE
	encoded	"SEAMRET", 0x66, 0x0F, 0x01, 0xCD
	encoded	"PCONFIG", 0x0F, 0x01, 0xC5
	ret

# With ATTRIBUTES.SEPT_VE_DISABLE: an access to a page that the TD has not accepted ends it.
fatal_case:
	leaf	"SEPT_VE_DISABLE TDG.VP.INFO", 1, RDX
	access	"SEPT_VE_DISABLE", PENDING, movb (%rbx), %al
	jmp	last_case

	.data
	.balign	16
port_data:
	.zero	16
