// SPDX-License-Identifier: GPL-2.0-or-later
// One guest CPU executed by libunicorn: instructions, the guest's page tables, exceptions and interrupts
// through its IDT. What a TD makes of an instruction or an access is asked of a CpuEnvironment.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "support/result.h"

namespace virttdx::softhost {

/// General registers in x86 encoding order: RAX RCX RDX RBX RSP RBP RSI RDI R8..R15.
enum Gpr : std::uint8_t {
  kRax,
  kRcx,
  kRdx,
  kRbx,
  kRsp,
  kRbp,
  kRsi,
  kRdi,
  kR8,
  kR9,
  kR10,
  kR11,
  kR12,
  kR13,
  kR14,
  kR15
};

struct Registers {
  std::array<std::uint64_t, 16> gpr{};
  std::uint64_t rip = 0;
  std::uint64_t rflags = 2;
};

struct SegmentRegister {
  std::uint64_t base = 0;
  std::uint32_t limit = 0;
  std::uint16_t selector = 0;
  std::uint16_t access_rights = 0;  ///< VMX format: type, S, DPL, P, AVL, L, D/B, G in bits 0-7 and 12-15
  bool unusable = false;
};

struct DescriptorTable {
  std::uint64_t base = 0;
  std::uint16_t limit = 0;
};

/// KVM_GET/SET_SREGS' content; also how a TD's first state is set.
struct SystemRegisters {
  SegmentRegister cs, ds, es, fs, gs, ss, tr, ldt;
  DescriptorTable gdt, idt;
  std::uint64_t cr0 = 0, cr2 = 0, cr3 = 0, cr4 = 0, cr8 = 0, efer = 0;
};

enum class AccessKind : std::uint8_t { Read, Write, Execute };

/// Where a guest-physical page is, or what its access does. `gpa` arguments carry the SHARED bit as the guest
/// set it.
struct PageAnswer {
  enum class Kind : std::uint8_t {
    Memory,  ///< 4 KiB of host memory at `host`
    Ve,      ///< #VE with exit reason 48 (EPT violation)
    Mmio,    ///< ordinary VM: no memory; the engine completes the instruction through mmio_read / mmio_write
    Exit,    ///< leave run() with RunResult::EnvironmentExit, RIP on the instruction; it is executed again
             ///< later
    Rsvd,    ///< #PF with RSVD: address bits above the SHARED bit
  };
  Kind kind = Kind::Exit;
  std::byte* host = nullptr;
  bool writable = true;
  /// Memory only: how many bytes of the same host memory lie before `host` and from `host` on, for larger
  /// mappings (0: unknown).
  std::uint64_t span_before = 0, span_after = 0;
};

/// What the environment wants after it handled an instruction.
enum class Outcome : std::uint8_t {
  Continue,           ///< next instruction
  Exit,               ///< leave run() with RIP after the instruction
  ExitAndRetry,       ///< leave run() with RIP on the instruction
  GeneralProtection,  ///< #GP(0)
  InvalidOpcode,      ///< #UD
  Ve,                 ///< #VE; ve_info() tells the details
  Native,             ///< MSRs only: the engine's own register
};

/// What TDG.VP.VEINFO.GET will answer (TDX Module ABI, VE_INFO).
struct VeInfo {
  std::uint32_t exit_reason = 0;
  std::uint64_t exit_qualification = 0;
  std::uint64_t gla = 0;
  std::uint64_t gpa = 0;
  std::uint32_t instruction_length = 0;
  std::uint32_t instruction_information = 0;
};

struct CpuidValue {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

/// VMX basic exit reasons that VeInfo uses (Intel SDM volume 3, appendix C).
namespace exit_reason {
inline constexpr std::uint32_t kCpuid = 10, kHlt = 12, kInvd = 13, kVmcall = 18, kControlRegister = 28,
                               kIo = 30, kRdmsr = 31, kWrmsr = 32, kApicWrite = 56, kWbinvd = 54,
                               kEptViolation = 48, kPconfig = 65;
}

/// XCR0's number for write_control_register(): no MOV can name it.
inline constexpr unsigned kXcr0 = 16;

class CodePages;

/// What a CPU is connected to. All calls come from inside run(), on its thread.
class CpuEnvironment {
 public:
  virtual ~CpuEnvironment() = default;
  virtual bool is_td() const = 0;
  /// What the CPUs of the VM know of each other's code; null: there is no other CPU. Outlives the engine.
  virtual CodePages* code_pages() { return nullptr; }
  virtual PageAnswer page(std::uint64_t gpa, AccessKind access) = 0;
  /// TDCALL at CPL 0 in 64-bit mode. May read and change the registers; RIP is the engine's to advance.
  virtual Outcome td_call(Registers& registers) = 0;
  /// An instruction of a TD that causes #VE: false when VE_INFO is still valid (the engine then delivers
  /// #DF).
  virtual bool store_ve(const VeInfo& info) = 0;
  /// Outcome Continue (value set), Ve or Exit. The engine itself sets OSXSAVE and OSPKE from CR4.
  virtual Outcome cpuid(std::uint32_t leaf, std::uint32_t subleaf, CpuidValue& value) = 0;
  /// Also asked for CR8, as MSR 0x808 (x2APIC TPR) with the priority in bits 7:4.
  virtual Outcome read_msr(std::uint32_t index, std::uint64_t& value) = 0;
  virtual Outcome write_msr(std::uint32_t index, std::uint64_t value) = 0;
  /// CPL-0 CR0, CR4 and XCR0 writes of a TD that the module does not allow as they are: Continue, #GP or Ve.
  virtual Outcome write_control_register(unsigned number, std::uint64_t old_value,
                                         std::uint64_t new_value) = 0;
  /// Ordinary VM only: port access, completed now (Continue, value set) or by the monitor: a write with Exit,
  /// a read with ExitAndRetry and then CpuEngine::complete_read(). `size` is 1, 2 or 4.
  virtual Outcome io(bool is_write, std::uint16_t port, unsigned size, std::uint32_t& value) = 0;
  /// Ordinary VM only, as io(). `size` is 1, 2, 4 or 8.
  virtual Outcome mmio(bool is_write, std::uint64_t gpa, unsigned size, std::uint64_t& value) = 0;
  /// Ordinary VM only: HLT. In a TD HLT is #VE.
  virtual Outcome halt() = 0;
  /// The vector of the highest deliverable interrupt above CR8/PPR, without acknowledging it. Cheap: called
  /// often.
  virtual std::optional<std::uint8_t> pending_interrupt() = 0;
  /// When pending_interrupt() may have something next, on the steady clock in nanoseconds; UINT64_MAX: not
  /// known.
  virtual std::uint64_t next_deadline() { return UINT64_MAX; }
  virtual void acknowledge_interrupt(std::uint8_t vector) = 0;
  virtual bool take_nmi() = 0;
  /// Guest TSC now.
  virtual std::uint64_t tsc() = 0;
};

enum class RunResult : std::uint8_t {
  EnvironmentExit,  ///< a call of the environment asked for it
  Stopped,          ///< request_stop()
  TripleFault,
  EngineFailure,  ///< the engine met what it cannot run; failure() says what
};

/// One CPU. run() and the register functions belong to one thread at a time; request_*() to any thread.
class CpuEngine {
 public:
  virtual ~CpuEngine() = default;

  virtual Registers registers() const = 0;
  virtual void set_registers(const Registers& registers) = 0;
  virtual SystemRegisters system_registers() const = 0;
  virtual void set_system_registers(const SystemRegisters& registers) = 0;
  /// Ordinary VM only: ends the instruction whose read left run() with ExitAndRetry, and executes nothing
  /// after it. When registers were set since then the value is dropped, as KVM's emulator does. Nothing to do
  /// when no read is unfinished.
  virtual void complete_read(std::uint64_t value) = 0;

  /// Executes until a RunResult. Pending interrupts are delivered when RFLAGS.IF and the shadow allow it.
  virtual RunResult run() = 0;
  /// Makes a running or the next run() return Stopped soon (within some 10,000 guest instructions).
  virtual void request_stop() = 0;
  /// Makes a running run() look at pending_interrupt() and take_nmi() soon.
  virtual void request_interrupt_check() = 0;
  /// RFLAGS.IF and no STI/MOV SS shadow: for TDVMCALL<HLT> and KVM's if_flag.
  virtual bool interrupts_enabled() const = 0;
  /// Pages of [gpa, gpa+size) (both aliases) changed their answer: drop cached translations and code. Any
  /// thread: takes effect before run() executes another instruction that follows the caller's return to the
  /// guest.
  virtual void invalidate(std::uint64_t gpa, std::uint64_t size) = 0;
  /// Waits until no instruction can reach what was invalidated before the call. Any thread but one inside
  /// run() of this CPU; the environment's page() may wait for locks that the caller holds.
  virtual void wait_until_invalidated() = 0;
  /// What EngineFailure was about: instruction bytes, RIP, reason.
  virtual std::string failure() const = 0;
};

Result<std::unique_ptr<CpuEngine>> create_cpu_engine(CpuEnvironment& environment);

/// Native CPUID of the emulated processor (an Intel server part with what the TDX module demands), before the
/// TDX module's virtualisation.
CpuidValue native_cpuid(std::uint32_t leaf, std::uint32_t subleaf);

}  // namespace virttdx::softhost
