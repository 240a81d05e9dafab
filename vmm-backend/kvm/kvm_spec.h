// SPDX-License-Identifier: GPL-2.0-or-later
// KVM's user-space ABI as this project uses it, declared anew (names as in Linux' <linux/kvm.h> and
// <asm/kvm.h>, which older systems have without the TDX part). Layouts and numbers: Linux 7.1,
// Documentation/virt/kvm/api.rst and Documentation/virt/kvm/x86/intel-tdx.rst, checked below with
// static_assert against the values that the kernel's own headers give.
// A structure with a variable tail is declared without it: the elements follow directly.
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::kvm {

// Requests of ioctl(2).
inline constexpr unsigned long KVM_GET_API_VERSION = 0xae00;
inline constexpr unsigned long KVM_CREATE_VM = 0xae01;
inline constexpr unsigned long KVM_CHECK_EXTENSION = 0xae03;
inline constexpr unsigned long KVM_GET_VCPU_MMAP_SIZE = 0xae04;
inline constexpr unsigned long KVM_GET_SUPPORTED_CPUID = 0xc008ae05;
inline constexpr unsigned long KVM_GET_EMULATED_CPUID = 0xc008ae09;
inline constexpr unsigned long KVM_CREATE_VCPU = 0xae41;
inline constexpr unsigned long KVM_SET_TSC_KHZ = 0xaea2;
inline constexpr unsigned long KVM_GET_TSC_KHZ = 0xaea3;
inline constexpr unsigned long KVM_ENABLE_CAP = 0x4068aea3;
inline constexpr unsigned long KVM_SET_USER_MEMORY_REGION = 0x4020ae46;
inline constexpr unsigned long KVM_SET_USER_MEMORY_REGION2 = 0x40a0ae49;
inline constexpr unsigned long KVM_SET_MEMORY_ATTRIBUTES = 0x4020aed2;
inline constexpr unsigned long KVM_CREATE_GUEST_MEMFD = 0xc040aed4;
inline constexpr unsigned long KVM_PRE_FAULT_MEMORY = 0xc040aed5;
inline constexpr unsigned long KVM_MEMORY_ENCRYPT_OP = 0xc008aeba;
inline constexpr unsigned long KVM_MEMORY_ENCRYPT_REG_REGION = 0x8010aebb;
inline constexpr unsigned long KVM_MEMORY_ENCRYPT_UNREG_REGION = 0x8010aebc;
inline constexpr unsigned long KVM_RUN = 0xae80;
inline constexpr unsigned long KVM_GET_REGS = 0x8090ae81;
inline constexpr unsigned long KVM_SET_REGS = 0x4090ae82;
inline constexpr unsigned long KVM_GET_SREGS = 0x8138ae83;
inline constexpr unsigned long KVM_SET_SREGS = 0x4138ae84;
inline constexpr unsigned long KVM_GET_SREGS2 = 0x8140aecc;
inline constexpr unsigned long KVM_SET_SREGS2 = 0x4140aecd;
inline constexpr unsigned long KVM_TRANSLATE = 0xc018ae85;
inline constexpr unsigned long KVM_INTERRUPT = 0x4004ae86;
inline constexpr unsigned long KVM_GET_MSRS = 0xc008ae88;
inline constexpr unsigned long KVM_SET_MSRS = 0x4008ae89;
inline constexpr unsigned long KVM_SET_CPUID = 0x4008ae8a;
inline constexpr unsigned long KVM_SET_CPUID2 = 0x4008ae90;
inline constexpr unsigned long KVM_GET_CPUID2 = 0xc008ae91;
inline constexpr unsigned long KVM_SET_SIGNAL_MASK = 0x4004ae8b;
inline constexpr unsigned long KVM_GET_FPU = 0x81a0ae8c;
inline constexpr unsigned long KVM_SET_FPU = 0x41a0ae8d;
inline constexpr unsigned long KVM_GET_LAPIC = 0x8400ae8e;
inline constexpr unsigned long KVM_SET_LAPIC = 0x4400ae8f;
inline constexpr unsigned long KVM_GET_MP_STATE = 0x8004ae98;
inline constexpr unsigned long KVM_SET_MP_STATE = 0x4004ae99;
inline constexpr unsigned long KVM_NMI = 0xae9a;
inline constexpr unsigned long KVM_SMI = 0xaeb7;
inline constexpr unsigned long KVM_GET_VCPU_EVENTS = 0x8040ae9f;
inline constexpr unsigned long KVM_SET_VCPU_EVENTS = 0x4040aea0;
inline constexpr unsigned long KVM_GET_DEBUGREGS = 0x8080aea1;
inline constexpr unsigned long KVM_SET_DEBUGREGS = 0x4080aea2;
inline constexpr unsigned long KVM_GET_XSAVE = 0x9000aea4;
inline constexpr unsigned long KVM_SET_XSAVE = 0x5000aea5;
inline constexpr unsigned long KVM_GET_XSAVE2 = 0x9000aecf;
inline constexpr unsigned long KVM_GET_XCRS = 0x8188aea6;
inline constexpr unsigned long KVM_SET_XCRS = 0x4188aea7;
inline constexpr unsigned long KVM_KVMCLOCK_CTRL = 0xaead;
inline constexpr unsigned long KVM_SET_GUEST_DEBUG = 0x4048ae9b;
inline constexpr unsigned long KVM_GET_NESTED_STATE = 0xc080aebe;
inline constexpr unsigned long KVM_SET_NESTED_STATE = 0x4080aebf;
inline constexpr unsigned long KVM_GET_ONE_REG = 0x4010aeab;
inline constexpr unsigned long KVM_SET_ONE_REG = 0x4010aeac;
inline constexpr unsigned long KVM_GET_REG_LIST = 0xc008aeb0;
inline constexpr unsigned long KVM_CREATE_IRQCHIP = 0xae60;
inline constexpr unsigned long KVM_IRQ_LINE = 0x4008ae61;
inline constexpr unsigned long KVM_IRQ_LINE_STATUS = 0xc008ae67;
inline constexpr unsigned long KVM_GET_IRQCHIP = 0xc208ae62;
inline constexpr unsigned long KVM_SET_IRQCHIP = 0x8208ae63;
inline constexpr unsigned long KVM_CREATE_PIT2 = 0x4040ae77;
inline constexpr unsigned long KVM_SET_GSI_ROUTING = 0x4008ae6a;
inline constexpr unsigned long KVM_SIGNAL_MSI = 0x4020aea5;
inline constexpr unsigned long KVM_IRQFD = 0x4020ae76;
inline constexpr unsigned long KVM_IOEVENTFD = 0x4040ae79;
inline constexpr unsigned long KVM_GET_DIRTY_LOG = 0x4010ae42;
inline constexpr unsigned long KVM_CLEAR_DIRTY_LOG = 0xc018aec0;
inline constexpr unsigned long KVM_SET_TSS_ADDR = 0xae47;
inline constexpr unsigned long KVM_SET_IDENTITY_MAP_ADDR = 0x4008ae48;
inline constexpr unsigned long KVM_SET_BOOT_CPU_ID = 0xae78;
inline constexpr unsigned long KVM_GET_CLOCK = 0x8030ae7c;
inline constexpr unsigned long KVM_SET_CLOCK = 0x4030ae7b;
inline constexpr unsigned long KVM_X86_SET_MSR_FILTER = 0x4188aec6;
inline constexpr unsigned long KVM_SET_PMU_EVENT_FILTER = 0x4020aeb2;
inline constexpr unsigned long KVM_CREATE_DEVICE = 0xc00caee0;
inline constexpr unsigned long KVM_GET_STATS_FD = 0xaece;
inline constexpr unsigned long KVM_X86_SETUP_MCE = 0x4008ae9c;
inline constexpr unsigned long KVM_X86_SET_MCE = 0x4040ae9e;
inline constexpr unsigned long KVM_TPR_ACCESS_REPORTING = 0xc028ae92;
inline constexpr unsigned long KVM_SET_VAPIC_ADDR = 0x4008ae93;
inline constexpr unsigned long KVM_REGISTER_COALESCED_MMIO = 0x4010ae67;
inline constexpr unsigned long KVM_SET_DEVICE_ATTR = 0x4018aee1;
inline constexpr unsigned long KVM_GET_DEVICE_ATTR = 0x4018aee2;
inline constexpr unsigned long KVM_HAS_DEVICE_ATTR = 0x4018aee3;
inline constexpr unsigned long KVM_GET_MSR_INDEX_LIST = 0xc004ae02;
inline constexpr unsigned long KVM_GET_MSR_FEATURE_INDEX_LIST = 0xc004ae0a;
inline constexpr unsigned long KVM_RESET_DIRTY_RINGS = 0xaec7;

// Capabilities of KVM_CHECK_EXTENSION and KVM_ENABLE_CAP.
inline constexpr std::uint32_t KVM_CAP_IRQCHIP = 0;
inline constexpr std::uint32_t KVM_CAP_USER_MEMORY = 3;
inline constexpr std::uint32_t KVM_CAP_NR_VCPUS = 9;
inline constexpr std::uint32_t KVM_CAP_MAX_VCPUS = 66;
inline constexpr std::uint32_t KVM_CAP_MAX_VCPU_ID = 128;
inline constexpr std::uint32_t KVM_CAP_SPLIT_IRQCHIP = 121;
inline constexpr std::uint32_t KVM_CAP_X2APIC_API = 129;
inline constexpr std::uint32_t KVM_CAP_IMMEDIATE_EXIT = 136;
inline constexpr std::uint32_t KVM_CAP_EXIT_HYPERCALL = 201;
inline constexpr std::uint32_t KVM_CAP_VM_TYPES = 235;
inline constexpr std::uint32_t KVM_CAP_USER_MEMORY2 = 231;
inline constexpr std::uint32_t KVM_CAP_MEMORY_FAULT_INFO = 232;
inline constexpr std::uint32_t KVM_CAP_MEMORY_ATTRIBUTES = 233;
inline constexpr std::uint32_t KVM_CAP_GUEST_MEMFD = 234;
inline constexpr std::uint32_t KVM_CAP_PRE_FAULT_MEMORY = 236;
inline constexpr std::uint32_t KVM_CAP_X86_APIC_BUS_CYCLES_NS = 237;
inline constexpr std::uint32_t KVM_CAP_X86_GUEST_MODE = 238;
inline constexpr std::uint32_t KVM_CAP_TSC_CONTROL = 60;
inline constexpr std::uint32_t KVM_CAP_VM_TSC_CONTROL = 214;
inline constexpr std::uint32_t KVM_CAP_GET_TSC_KHZ = 61;
inline constexpr std::uint32_t KVM_CAP_TSC_DEADLINE_TIMER = 72;
inline constexpr std::uint32_t KVM_CAP_READONLY_MEM = 81;
inline constexpr std::uint32_t KVM_CAP_SYNC_REGS = 74;
inline constexpr std::uint32_t KVM_CAP_X86_USER_SPACE_MSR = 188;
inline constexpr std::uint32_t KVM_CAP_X86_MSR_FILTER = 189;
inline constexpr std::uint32_t KVM_CAP_X86_BUS_LOCK_EXIT = 193;
inline constexpr std::uint32_t KVM_CAP_X86_NOTIFY_VMEXIT = 219;
inline constexpr std::uint32_t KVM_CAP_X86_SMM = 117;
inline constexpr std::uint32_t KVM_CAP_X86_DISABLE_EXITS = 143;
inline constexpr std::uint32_t KVM_CAP_DISABLE_QUIRKS2 = 213;
inline constexpr std::uint32_t KVM_CAP_ENABLE_CAP_VM = 98;
inline constexpr std::uint32_t KVM_CAP_NR_MEMSLOTS = 10;
inline constexpr std::uint32_t KVM_CAP_MULTI_ADDRESS_SPACE = 118;
inline constexpr std::uint32_t KVM_CAP_ADJUST_CLOCK = 39;
inline constexpr std::uint32_t KVM_CAP_SYSTEM_EVENT_DATA = 215;
inline constexpr std::uint32_t KVM_CAP_DIRTY_LOG_RING_ACQ_REL = 223;
inline constexpr std::uint32_t KVM_CAP_PMU_CAPABILITY = 212;
inline constexpr std::uint32_t KVM_CAP_SIGNAL_MSI = 77;
inline constexpr std::uint32_t KVM_CAP_IRQFD = 32;
inline constexpr std::uint32_t KVM_CAP_IOEVENTFD = 36;
inline constexpr std::uint32_t KVM_CAP_IRQ_ROUTING = 25;
inline constexpr std::uint32_t KVM_CAP_SET_BOOT_CPU_ID = 34;
inline constexpr std::uint32_t KVM_CAP_GUEST_MEMFD_FLAGS = 244;
inline constexpr std::uint32_t KVM_CAP_BINARY_STATS_FD = 203;

// kvm_run::exit_reason.
inline constexpr std::uint32_t KVM_EXIT_UNKNOWN = 0;
inline constexpr std::uint32_t KVM_EXIT_EXCEPTION = 1;
inline constexpr std::uint32_t KVM_EXIT_IO = 2;
inline constexpr std::uint32_t KVM_EXIT_HYPERCALL = 3;
inline constexpr std::uint32_t KVM_EXIT_DEBUG = 4;
inline constexpr std::uint32_t KVM_EXIT_HLT = 5;
inline constexpr std::uint32_t KVM_EXIT_MMIO = 6;
inline constexpr std::uint32_t KVM_EXIT_IRQ_WINDOW_OPEN = 7;
inline constexpr std::uint32_t KVM_EXIT_SHUTDOWN = 8;
inline constexpr std::uint32_t KVM_EXIT_FAIL_ENTRY = 9;
inline constexpr std::uint32_t KVM_EXIT_INTR = 10;
inline constexpr std::uint32_t KVM_EXIT_INTERNAL_ERROR = 17;
inline constexpr std::uint32_t KVM_EXIT_SYSTEM_EVENT = 24;
inline constexpr std::uint32_t KVM_EXIT_IOAPIC_EOI = 26;
inline constexpr std::uint32_t KVM_EXIT_X86_RDMSR = 29;
inline constexpr std::uint32_t KVM_EXIT_X86_WRMSR = 30;
inline constexpr std::uint32_t KVM_EXIT_X86_BUS_LOCK = 33;
inline constexpr std::uint32_t KVM_EXIT_NOTIFY = 37;
inline constexpr std::uint32_t KVM_EXIT_MEMORY_FAULT = 39;
inline constexpr std::uint32_t KVM_EXIT_TDX = 40;

inline constexpr int KVM_API_VERSION = 12;

// Argument of KVM_CREATE_VM.
inline constexpr unsigned long KVM_X86_DEFAULT_VM = 0;
inline constexpr unsigned long KVM_X86_SW_PROTECTED_VM = 1;
inline constexpr unsigned long KVM_X86_SEV_VM = 2;
inline constexpr unsigned long KVM_X86_SEV_ES_VM = 3;
inline constexpr unsigned long KVM_X86_SNP_VM = 4;
inline constexpr unsigned long KVM_X86_TDX_VM = 5;

// kvm_tdx_cmd::id.
inline constexpr std::uint32_t KVM_TDX_CAPABILITIES = 0;
inline constexpr std::uint32_t KVM_TDX_INIT_VM = 1;
inline constexpr std::uint32_t KVM_TDX_INIT_VCPU = 2;
inline constexpr std::uint32_t KVM_TDX_INIT_MEM_REGION = 3;
inline constexpr std::uint32_t KVM_TDX_FINALIZE_VM = 4;
inline constexpr std::uint32_t KVM_TDX_GET_CPUID = 5;
inline constexpr std::uint32_t KVM_TDX_CMD_NR_MAX = 6;

// kvm_tdx_cmd::flags of KVM_TDX_INIT_MEM_REGION.
inline constexpr std::uint32_t KVM_TDX_MEASURE_MEMORY_REGION = 1;

// Memory.
inline constexpr std::uint64_t GUEST_MEMFD_FLAG_MMAP = 1;
inline constexpr std::uint64_t GUEST_MEMFD_FLAG_INIT_SHARED = 2;
inline constexpr std::uint32_t KVM_MEM_LOG_DIRTY_PAGES = 1;
inline constexpr std::uint32_t KVM_MEM_READONLY = 2;
inline constexpr std::uint32_t KVM_MEM_GUEST_MEMFD = 4;
inline constexpr std::uint64_t KVM_MEMORY_ATTRIBUTE_PRIVATE = 8;
inline constexpr std::uint64_t KVM_MEMORY_EXIT_FLAG_PRIVATE = 8;

// KVM_CAP_X2APIC_API.
inline constexpr std::uint64_t KVM_X2APIC_API_USE_32BIT_IDS = 1;
inline constexpr std::uint64_t KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK = 2;

// kvm_run's parts.
inline constexpr std::uint32_t KVM_SYSTEM_EVENT_SHUTDOWN = 1;
inline constexpr std::uint32_t KVM_SYSTEM_EVENT_RESET = 2;
inline constexpr std::uint32_t KVM_SYSTEM_EVENT_CRASH = 3;
inline constexpr std::uint32_t KVM_SYSTEM_EVENT_TDX_FATAL = 7;
inline constexpr std::uint32_t KVM_INTERNAL_ERROR_EMULATION = 1;
inline constexpr std::uint32_t KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON = 4;
inline constexpr std::uint64_t KVM_EXIT_HYPERCALL_LONG_MODE = 1;
inline constexpr std::uint8_t KVM_EXIT_IO_IN = 0;
inline constexpr std::uint8_t KVM_EXIT_IO_OUT = 1;
// Hypercall that KVM makes of TDVMCALL<MapGPA>: its number and the attribute of args[2].
inline constexpr std::uint64_t KVM_HC_MAP_GPA_RANGE = 12;
inline constexpr std::uint64_t KVM_MAP_GPA_RANGE_ENCRYPTED = 0x10;

// Limits and flags.
inline constexpr std::uint32_t KVM_MP_STATE_RUNNABLE = 0;
inline constexpr std::uint32_t KVM_MP_STATE_UNINITIALIZED = 1;
inline constexpr std::uint32_t KVM_MP_STATE_HALTED = 3;
inline constexpr std::uint32_t KVM_MAX_CPUID_ENTRIES = 256;
inline constexpr std::uint32_t KVM_MAX_IRQ_ROUTES = 4096;
inline constexpr std::uint32_t KVM_CPUID_FLAG_SIGNIFCANT_INDEX = 1;
inline constexpr std::uint32_t KVM_IRQ_ROUTING_IRQCHIP = 1;
inline constexpr std::uint32_t KVM_IRQ_ROUTING_MSI = 2;

struct kvm_run {
  std::uint8_t request_interrupt_window;
  std::uint8_t immediate_exit;
  std::uint8_t padding1[6];
  std::uint32_t exit_reason;
  std::uint8_t ready_for_interrupt_injection;
  std::uint8_t if_flag;
  std::uint16_t flags;
  std::uint64_t cr8;
  std::uint64_t apic_base;
  union {
    struct {
      std::uint64_t hardware_exit_reason;
    } hw;
    struct {
      std::uint64_t hardware_entry_failure_reason;
      std::uint32_t cpu;
      std::uint32_t pad;
    } fail_entry;
    struct {
      std::uint32_t exception;
      std::uint32_t error_code;
    } ex;
    struct {
      std::uint8_t direction;
      std::uint8_t size;
      std::uint16_t port;
      std::uint32_t count;
      std::uint64_t data_offset;  // from the start of kvm_run
    } io;
    struct {
      std::uint64_t phys_addr;
      std::uint8_t data[8];
      std::uint32_t len;
      std::uint8_t is_write;
    } mmio;
    struct {
      std::uint64_t nr;
      std::uint64_t args[6];
      std::uint64_t ret;
      std::uint64_t flags;
    } hypercall;
    struct {
      std::uint32_t suberror;
      std::uint32_t ndata;
      std::uint64_t data[16];
    } internal;
    struct {
      std::uint32_t type;
      std::uint32_t ndata;
      std::uint64_t data[16];
    } system_event;
    struct {
      std::uint8_t vector;
    } eoi;
    struct {
      std::uint8_t error;
      std::uint8_t pad[7];
      std::uint32_t reason;
      std::uint32_t index;
      std::uint64_t data;
    } msr;
    struct {
      std::uint64_t flags;
      std::uint64_t gpa;
      std::uint64_t size;
    } memory_fault;
    struct {
      std::uint64_t flags;
      std::uint64_t nr;  // TDVMCALL sub-function, R11
      union {
        struct {
          std::uint64_t ret;
          std::uint64_t data[5];
        } unknown;
        struct {
          std::uint64_t ret;
          std::uint64_t gpa;
          std::uint64_t size;
        } get_quote;
        struct {
          std::uint64_t ret;
          std::uint64_t leaf;
          std::uint64_t r11, r12, r13, r14;
        } get_tdvmcall_info;
        struct {
          std::uint64_t ret;
          std::uint64_t vector;
        } setup_event_notify;
      };
    } tdx;
    std::uint8_t padding[256];
  };
  std::uint64_t kvm_valid_regs;
  std::uint64_t kvm_dirty_regs;
  union {
    std::uint8_t padding[2048];
  } s;
};

struct kvm_cpuid_entry2 {
  std::uint32_t function;
  std::uint32_t index;
  std::uint32_t flags;
  std::uint32_t eax, ebx, ecx, edx;
  std::uint32_t padding[3];
};

struct kvm_cpuid2 {
  std::uint32_t nent;
  std::uint32_t padding;
};

struct kvm_tdx_cmd {
  std::uint32_t id;
  std::uint32_t flags;
  std::uint64_t data;
  std::uint64_t hw_error;  // 0 on the way in; a TDX module status on the way out
};

struct kvm_tdx_capabilities {
  std::uint64_t supported_attrs;
  std::uint64_t supported_xfam;
  std::uint64_t kernel_tdvmcallinfo_1_r11;
  std::uint64_t user_tdvmcallinfo_1_r11;
  std::uint64_t kernel_tdvmcallinfo_1_r12;
  std::uint64_t user_tdvmcallinfo_1_r12;
  std::uint64_t reserved[250];
  kvm_cpuid2 cpuid;
};

struct kvm_tdx_init_vm {
  std::uint64_t attributes;
  std::uint64_t xfam;
  std::uint64_t mrconfigid[6];
  std::uint64_t mrowner[6];
  std::uint64_t mrownerconfig[6];
  std::uint64_t reserved[12];
  kvm_cpuid2 cpuid;
};

struct kvm_tdx_init_mem_region {
  std::uint64_t source_addr;
  std::uint64_t gpa;
  std::uint64_t nr_pages;
};

struct kvm_create_guest_memfd {
  std::uint64_t size;
  std::uint64_t flags;
  std::uint64_t reserved[6];
};

struct kvm_userspace_memory_region {
  std::uint32_t slot;
  std::uint32_t flags;
  std::uint64_t guest_phys_addr;
  std::uint64_t memory_size;
  std::uint64_t userspace_addr;
};

struct kvm_userspace_memory_region2 {
  std::uint32_t slot;
  std::uint32_t flags;
  std::uint64_t guest_phys_addr;
  std::uint64_t memory_size;
  std::uint64_t userspace_addr;
  std::uint64_t guest_memfd_offset;
  std::uint32_t guest_memfd;
  std::uint32_t pad1;
  std::uint64_t pad2[14];
};

struct kvm_memory_attributes {
  std::uint64_t address;
  std::uint64_t size;
  std::uint64_t attributes;
  std::uint64_t flags;
};

struct kvm_pre_fault_memory {
  std::uint64_t gpa;
  std::uint64_t size;
  std::uint64_t flags;
  std::uint64_t padding[5];
};

struct kvm_enable_cap {
  std::uint32_t cap;
  std::uint32_t flags;
  std::uint64_t args[4];
  std::uint8_t pad[64];
};

struct kvm_msi {
  std::uint32_t address_lo;
  std::uint32_t address_hi;
  std::uint32_t data;
  std::uint32_t flags;
  std::uint32_t devid;
  std::uint8_t pad[12];
};

struct kvm_irqfd {
  std::uint32_t fd;
  std::uint32_t gsi;
  std::uint32_t flags;
  std::uint32_t resamplefd;
  std::uint8_t pad[16];
};

struct kvm_ioeventfd {
  std::uint64_t datamatch;
  std::uint64_t addr;
  std::uint32_t len;
  std::int32_t fd;
  std::uint32_t flags;
  std::uint8_t pad[36];
};

struct kvm_irq_level {
  std::uint32_t irq;
  std::uint32_t level;
};

struct kvm_irq_routing {
  std::uint32_t nr;
  std::uint32_t flags;
};

struct kvm_irq_routing_entry {
  std::uint32_t gsi;
  std::uint32_t type;
  std::uint32_t flags;
  std::uint32_t pad;
  union {
    struct {
      std::uint32_t irqchip;
      std::uint32_t pin;
    } irqchip;
    struct {
      std::uint32_t address_lo;
      std::uint32_t address_hi;
      std::uint32_t data;
      std::uint32_t devid;
    } msi;
    std::uint32_t pad[8];
  } u;
};

struct kvm_interrupt {
  std::uint32_t irq;
};

// `len` bytes of the kernel's signal set (8 on x86-64) follow.
struct kvm_signal_mask {
  std::uint32_t len;
};

struct kvm_lapic_state {
  std::uint8_t regs[1024];
};

struct kvm_mp_state {
  std::uint32_t mp_state;
};

struct kvm_clock_data {
  std::uint64_t clock;
  std::uint32_t flags;
  std::uint32_t pad0;
  std::uint64_t realtime;
  std::uint64_t host_tsc;
  std::uint32_t pad[4];
};

struct kvm_msrs {
  std::uint32_t nmsrs;
  std::uint32_t pad;
};

struct kvm_msr_entry {
  std::uint32_t index;
  std::uint32_t reserved;
  std::uint64_t data;
};

struct kvm_regs {
  std::uint64_t rax, rbx, rcx, rdx;
  std::uint64_t rsi, rdi, rsp, rbp;
  std::uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  std::uint64_t rip, rflags;
};

struct kvm_segment {
  std::uint64_t base;
  std::uint32_t limit;
  std::uint16_t selector;
  std::uint8_t type;
  std::uint8_t present, dpl, db, s, l, g, avl;
  std::uint8_t unusable;
  std::uint8_t padding;
};

struct kvm_dtable {
  std::uint64_t base;
  std::uint16_t limit;
  std::uint16_t padding[3];
};

struct kvm_sregs {
  kvm_segment cs, ds, es, fs, gs, ss;
  kvm_segment tr, ldt;
  kvm_dtable gdt, idt;
  std::uint64_t cr0, cr2, cr3, cr4, cr8;
  std::uint64_t efer;
  std::uint64_t apic_base;
  std::uint64_t interrupt_bitmap[4];
};

struct kvm_sregs2 {
  kvm_segment cs, ds, es, fs, gs, ss;
  kvm_segment tr, ldt;
  kvm_dtable gdt, idt;
  std::uint64_t cr0, cr2, cr3, cr4, cr8;
  std::uint64_t efer;
  std::uint64_t apic_base;
  std::uint64_t flags;
  std::uint64_t pdptrs[4];
};

struct kvm_dirty_log {
  std::uint32_t slot;
  std::uint32_t padding1;
  std::uint64_t dirty_bitmap;  // pointer: a bit a page, in units of 64
};

struct kvm_vcpu_events {
  struct {
    std::uint8_t injected, nr, has_error_code, pending;
    std::uint32_t error_code;
  } exception;
  struct {
    std::uint8_t injected, nr, soft, shadow;
  } interrupt;
  struct {
    std::uint8_t injected, pending, masked, pad;
  } nmi;
  std::uint32_t sipi_vector;
  std::uint32_t flags;
  struct {
    std::uint8_t smm, pending, smm_inside_nmi, latched_init;
  } smi;
  struct {
    std::uint8_t pending;
  } triple_fault;
  std::uint8_t reserved[26];
  std::uint8_t exception_has_payload;
  std::uint64_t exception_payload;
};

// What the kernel's own headers give.
static_assert(sizeof(kvm_run) == 2352);
static_assert(sizeof(kvm_tdx_cmd) == 24);
static_assert(sizeof(kvm_tdx_capabilities) == 2056);
static_assert(sizeof(kvm_tdx_init_vm) == 264);
static_assert(sizeof(kvm_tdx_init_mem_region) == 24);
static_assert(sizeof(kvm_cpuid2) == 8);
static_assert(sizeof(kvm_cpuid_entry2) == 40);
static_assert(sizeof(kvm_create_guest_memfd) == 64);
static_assert(sizeof(kvm_userspace_memory_region2) == 160);
static_assert(sizeof(kvm_memory_attributes) == 32);
static_assert(sizeof(kvm_pre_fault_memory) == 64);
static_assert(sizeof(kvm_enable_cap) == 104);
static_assert(sizeof(kvm_msi) == 32);
static_assert(sizeof(kvm_irqfd) == 32);
static_assert(sizeof(kvm_ioeventfd) == 64);
static_assert(sizeof(kvm_irq_routing_entry) == 48);
static_assert(sizeof(kvm_lapic_state) == 1024);
static_assert(sizeof(kvm_mp_state) == 4);
static_assert(sizeof(kvm_clock_data) == 48);
static_assert(sizeof(kvm_userspace_memory_region) == 32);
static_assert(sizeof(kvm_irq_routing) == 8);
static_assert(sizeof(kvm_irq_level) == 8);
static_assert(sizeof(kvm_interrupt) == 4);
static_assert(sizeof(kvm_signal_mask) == 4);
static_assert(sizeof(kvm_msrs) == 8);
static_assert(sizeof(kvm_msr_entry) == 16);
static_assert(sizeof(kvm_regs) == 144);
static_assert(sizeof(kvm_sregs) == 312);
static_assert(sizeof(kvm_sregs2) == 320);
static_assert(sizeof(kvm_dirty_log) == 16);
static_assert(sizeof(kvm_vcpu_events) == 64);

// `type` and `field` are names. NOLINTBEGIN(bugprone-macro-parentheses)
#define VIRTTDX_KVM_FIELD(type, field, offset, size) \
  static_assert(offsetof(type, field) == (offset) && sizeof(static_cast<type*>(nullptr)->field) == (size))
// NOLINTEND(bugprone-macro-parentheses)
VIRTTDX_KVM_FIELD(kvm_run, immediate_exit, 1, 1);
VIRTTDX_KVM_FIELD(kvm_run, request_interrupt_window, 0, 1);
VIRTTDX_KVM_FIELD(kvm_run, exit_reason, 8, 4);
VIRTTDX_KVM_FIELD(kvm_run, ready_for_interrupt_injection, 12, 1);
VIRTTDX_KVM_FIELD(kvm_run, if_flag, 13, 1);
VIRTTDX_KVM_FIELD(kvm_run, flags, 14, 2);
VIRTTDX_KVM_FIELD(kvm_run, cr8, 16, 8);
VIRTTDX_KVM_FIELD(kvm_run, apic_base, 24, 8);
VIRTTDX_KVM_FIELD(kvm_run, kvm_valid_regs, 288, 8);
VIRTTDX_KVM_FIELD(kvm_run, kvm_dirty_regs, 296, 8);
VIRTTDX_KVM_FIELD(kvm_run, s, 304, 2048);
VIRTTDX_KVM_FIELD(kvm_run, hw.hardware_exit_reason, 32, 8);
VIRTTDX_KVM_FIELD(kvm_run, fail_entry, 32, 16);
VIRTTDX_KVM_FIELD(kvm_run, ex, 32, 8);
VIRTTDX_KVM_FIELD(kvm_run, io, 32, 16);
VIRTTDX_KVM_FIELD(kvm_run, io.direction, 32, 1);
VIRTTDX_KVM_FIELD(kvm_run, io.size, 33, 1);
VIRTTDX_KVM_FIELD(kvm_run, io.port, 34, 2);
VIRTTDX_KVM_FIELD(kvm_run, io.count, 36, 4);
VIRTTDX_KVM_FIELD(kvm_run, io.data_offset, 40, 8);
VIRTTDX_KVM_FIELD(kvm_run, mmio.phys_addr, 32, 8);
VIRTTDX_KVM_FIELD(kvm_run, mmio.data, 40, 8);
VIRTTDX_KVM_FIELD(kvm_run, mmio.len, 48, 4);
VIRTTDX_KVM_FIELD(kvm_run, mmio.is_write, 52, 1);
VIRTTDX_KVM_FIELD(kvm_run, hypercall.nr, 32, 8);
VIRTTDX_KVM_FIELD(kvm_run, hypercall.args, 40, 48);
VIRTTDX_KVM_FIELD(kvm_run, hypercall.ret, 88, 8);
VIRTTDX_KVM_FIELD(kvm_run, hypercall.flags, 96, 8);
VIRTTDX_KVM_FIELD(kvm_run, internal.suberror, 32, 4);
VIRTTDX_KVM_FIELD(kvm_run, internal.ndata, 36, 4);
VIRTTDX_KVM_FIELD(kvm_run, internal.data, 40, 128);
VIRTTDX_KVM_FIELD(kvm_run, system_event.type, 32, 4);
VIRTTDX_KVM_FIELD(kvm_run, system_event.ndata, 36, 4);
VIRTTDX_KVM_FIELD(kvm_run, system_event.data, 40, 128);
VIRTTDX_KVM_FIELD(kvm_run, memory_fault.flags, 32, 8);
VIRTTDX_KVM_FIELD(kvm_run, memory_fault.gpa, 40, 8);
VIRTTDX_KVM_FIELD(kvm_run, memory_fault.size, 48, 8);
VIRTTDX_KVM_FIELD(kvm_run, msr.error, 32, 1);
VIRTTDX_KVM_FIELD(kvm_run, msr.reason, 40, 4);
VIRTTDX_KVM_FIELD(kvm_run, msr.index, 44, 4);
VIRTTDX_KVM_FIELD(kvm_run, msr.data, 48, 8);
VIRTTDX_KVM_FIELD(kvm_run, tdx.flags, 32, 8);
VIRTTDX_KVM_FIELD(kvm_run, tdx.nr, 40, 8);
VIRTTDX_KVM_FIELD(kvm_run, tdx.unknown.ret, 48, 8);
VIRTTDX_KVM_FIELD(kvm_run, tdx.unknown.data, 56, 40);
VIRTTDX_KVM_FIELD(kvm_run, tdx.get_quote.ret, 48, 8);
VIRTTDX_KVM_FIELD(kvm_run, tdx.get_quote.gpa, 56, 8);
VIRTTDX_KVM_FIELD(kvm_run, tdx.get_quote.size, 64, 8);
VIRTTDX_KVM_FIELD(kvm_run, tdx.get_tdvmcall_info.ret, 48, 8);
VIRTTDX_KVM_FIELD(kvm_run, tdx.get_tdvmcall_info.leaf, 56, 8);
VIRTTDX_KVM_FIELD(kvm_run, tdx.get_tdvmcall_info.r11, 64, 8);
VIRTTDX_KVM_FIELD(kvm_run, tdx.get_tdvmcall_info.r12, 72, 8);
VIRTTDX_KVM_FIELD(kvm_run, tdx.get_tdvmcall_info.r13, 80, 8);
VIRTTDX_KVM_FIELD(kvm_run, tdx.get_tdvmcall_info.r14, 88, 8);
VIRTTDX_KVM_FIELD(kvm_run, tdx.setup_event_notify.ret, 48, 8);
VIRTTDX_KVM_FIELD(kvm_run, tdx.setup_event_notify.vector, 56, 8);
VIRTTDX_KVM_FIELD(kvm_tdx_cmd, id, 0, 4);
VIRTTDX_KVM_FIELD(kvm_tdx_cmd, flags, 4, 4);
VIRTTDX_KVM_FIELD(kvm_tdx_cmd, data, 8, 8);
VIRTTDX_KVM_FIELD(kvm_tdx_cmd, hw_error, 16, 8);
VIRTTDX_KVM_FIELD(kvm_tdx_capabilities, supported_attrs, 0, 8);
VIRTTDX_KVM_FIELD(kvm_tdx_capabilities, supported_xfam, 8, 8);
VIRTTDX_KVM_FIELD(kvm_tdx_capabilities, kernel_tdvmcallinfo_1_r11, 16, 8);
VIRTTDX_KVM_FIELD(kvm_tdx_capabilities, user_tdvmcallinfo_1_r11, 24, 8);
VIRTTDX_KVM_FIELD(kvm_tdx_capabilities, kernel_tdvmcallinfo_1_r12, 32, 8);
VIRTTDX_KVM_FIELD(kvm_tdx_capabilities, user_tdvmcallinfo_1_r12, 40, 8);
VIRTTDX_KVM_FIELD(kvm_tdx_capabilities, reserved, 48, 2000);
VIRTTDX_KVM_FIELD(kvm_tdx_capabilities, cpuid, 2048, 8);
VIRTTDX_KVM_FIELD(kvm_tdx_init_vm, attributes, 0, 8);
VIRTTDX_KVM_FIELD(kvm_tdx_init_vm, xfam, 8, 8);
VIRTTDX_KVM_FIELD(kvm_tdx_init_vm, mrconfigid, 16, 48);
VIRTTDX_KVM_FIELD(kvm_tdx_init_vm, mrowner, 64, 48);
VIRTTDX_KVM_FIELD(kvm_tdx_init_vm, mrownerconfig, 112, 48);
VIRTTDX_KVM_FIELD(kvm_tdx_init_vm, reserved, 160, 96);
VIRTTDX_KVM_FIELD(kvm_tdx_init_vm, cpuid, 256, 8);
VIRTTDX_KVM_FIELD(kvm_tdx_init_mem_region, source_addr, 0, 8);
VIRTTDX_KVM_FIELD(kvm_tdx_init_mem_region, gpa, 8, 8);
VIRTTDX_KVM_FIELD(kvm_tdx_init_mem_region, nr_pages, 16, 8);
VIRTTDX_KVM_FIELD(kvm_cpuid_entry2, function, 0, 4);
VIRTTDX_KVM_FIELD(kvm_cpuid_entry2, index, 4, 4);
VIRTTDX_KVM_FIELD(kvm_cpuid_entry2, flags, 8, 4);
VIRTTDX_KVM_FIELD(kvm_cpuid_entry2, eax, 12, 4);
VIRTTDX_KVM_FIELD(kvm_cpuid_entry2, padding, 28, 12);
VIRTTDX_KVM_FIELD(kvm_create_guest_memfd, size, 0, 8);
VIRTTDX_KVM_FIELD(kvm_create_guest_memfd, flags, 8, 8);
VIRTTDX_KVM_FIELD(kvm_create_guest_memfd, reserved, 16, 48);
VIRTTDX_KVM_FIELD(kvm_userspace_memory_region2, slot, 0, 4);
VIRTTDX_KVM_FIELD(kvm_userspace_memory_region2, flags, 4, 4);
VIRTTDX_KVM_FIELD(kvm_userspace_memory_region2, guest_phys_addr, 8, 8);
VIRTTDX_KVM_FIELD(kvm_userspace_memory_region2, memory_size, 16, 8);
VIRTTDX_KVM_FIELD(kvm_userspace_memory_region2, userspace_addr, 24, 8);
VIRTTDX_KVM_FIELD(kvm_userspace_memory_region2, guest_memfd_offset, 32, 8);
VIRTTDX_KVM_FIELD(kvm_userspace_memory_region2, guest_memfd, 40, 4);
VIRTTDX_KVM_FIELD(kvm_userspace_memory_region2, pad1, 44, 4);
VIRTTDX_KVM_FIELD(kvm_userspace_memory_region2, pad2, 48, 112);
VIRTTDX_KVM_FIELD(kvm_memory_attributes, address, 0, 8);
VIRTTDX_KVM_FIELD(kvm_memory_attributes, size, 8, 8);
VIRTTDX_KVM_FIELD(kvm_memory_attributes, attributes, 16, 8);
VIRTTDX_KVM_FIELD(kvm_memory_attributes, flags, 24, 8);
VIRTTDX_KVM_FIELD(kvm_pre_fault_memory, gpa, 0, 8);
VIRTTDX_KVM_FIELD(kvm_pre_fault_memory, size, 8, 8);
VIRTTDX_KVM_FIELD(kvm_pre_fault_memory, flags, 16, 8);
VIRTTDX_KVM_FIELD(kvm_pre_fault_memory, padding, 24, 40);
#undef VIRTTDX_KVM_FIELD

}  // namespace virttdx::kvm
