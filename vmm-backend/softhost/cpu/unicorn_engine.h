// SPDX-License-Identifier: GPL-2.0-or-later
// CpuEngine on libunicorn 2.1.4.
//
// How the pieces meet: translated code runs inside uc_emu_start() until something needs us. Instructions that
// a hypervisor would intercept, exceptions and unknown opcodes come to hooks that change the saved context
// and let the engine go on without leaving uc_emu_start(). Refused memory accesses, outcomes that end run()
// and kicks leave it.
#pragma once

#include <unicorn/unicorn.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "softhost/cpu/code_pages.h"
#include "softhost/cpu/emulated_instructions.h"
#include "softhost/cpu/engine_context.h"
#include "softhost/cpu/engine_internals.h"
#include "softhost/cpu/engine_kicker.h"
#include "softhost/cpu/engine_memory.h"
#include "softhost/cpu/exception_delivery.h"
#include "softhost/cpu/extended_state.h"
#include "softhost/cpu/instruction_bytes.h"
#include "softhost/cpu/linear_memory.h"
#include "softhost/cpu/page_cache.h"
#include "softhost/cpu/spin_watch.h"
#include "softhost/cpu/x86_spec.h"

namespace virttdx::softhost {

class UnicornEngine final : public CpuEngine, private CodeHolder, private PageSource {
 public:
  static Result<std::unique_ptr<CpuEngine>> create(CpuEnvironment& environment);
  ~UnicornEngine() override;

  Registers registers() const override;
  void set_registers(const Registers& registers) override;
  SystemRegisters system_registers() const override;
  void set_system_registers(const SystemRegisters& registers) override;
  RunResult run() override;
  void request_stop() override;
  void request_interrupt_check() override;
  bool interrupts_enabled() const override;
  void invalidate(std::uint64_t gpa, std::uint64_t size) override;
  void complete_read(std::uint64_t value) override;
  void wait_until_invalidated() override;
  std::string failure() const override { return failure_; }

 private:
  /// libunicorn's two heap objects, released last.
  struct Handles {
    uc_engine* engine = nullptr;
    uc_context* context = nullptr;
    Handles() = default;
    Handles(Handles&& other) noexcept
        : engine(std::exchange(other.engine, nullptr)), context(std::exchange(other.context, nullptr)) {}
    Handles& operator=(Handles&&) = delete;
    ~Handles();
  };
  /// So often the same look, or the same PAUSE, is a wait for another CPU. A look is rarer than a PAUSE, and
  /// a CPU that waits in PAUSE gives way to others at each.
  static constexpr unsigned kLooksAtSpinning = 3, kPausesOfSpinning = 32;
  /// The control block of the engine's interception, in its physical memory.
  struct alignas(4096) InterceptionPages;

  UnicornEngine(CpuEnvironment& environment, Handles handles, const EngineLayout& layout);
  static Result<Handles> open();
  Result<void> start();
  Result<void> add_hooks();
  void intercept_instructions();

  // Run loop (engine_run.cc)
  void execute_or_rest();
  SpinWatch::Clock::duration rest_of_spinning(SpinWatch::Clock::time_point now);
  bool nmi_is_due();
  void deliver_pending();
  bool deliver_outside(const Event& event);
  void execute();
  void after_refused_access(uc_err error);
  void raise_after_refusal(const Translation& translation, std::uint64_t linear, AccessKind access);
  void report_memory_ve(const Translation& translation, std::uint64_t linear, AccessKind access);
  void flush_tlb();
  void fail_with(std::string reason);
  void leave(RunResult result);

  // What others ask for (engine_requests.cc)
  struct Requests {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> invalidated;  ///< GPA, size
    std::vector<std::byte*> changed_code;                              ///< pages
    bool all_code = false;
  };
  void code_changed(std::byte* page) override;
  void give_up_rights() override;
  void no_longer_alone() override;
  template <typename Change>
  void request(const Change& change);
  void take_requests();
  void drop_requested_code();
  PageAnswer page(std::uint64_t gpa, AccessKind access) override;
  bool enter_guest();
  bool return_to_guest();
  void leave_guest() { in_guest_.store(false, std::memory_order_release); }

  // Hooks (instruction_hooks.cc)
  static bool on_tlb_fill(uc_engine*, std::uint64_t linear, uc_mem_type type, uc_tlb_entry* entry,
                          void* self);
  static void on_interrupt(uc_engine*, std::uint32_t number, void* self);
  static bool on_invalid_instruction(uc_engine*, void* self);
  static int on_tsc(uc_engine*, void* self);
  static int on_tscp(uc_engine*, void* self);
  static std::uint32_t on_in(uc_engine*, std::uint32_t port, int size, void* self);
  static void on_out(uc_engine*, std::uint32_t port, int size, std::uint32_t value, void* self);
  static void on_syscall(uc_engine*, void* self);
  static void on_sysenter(uc_engine*, void* self);
  bool fill_tlb(std::uint64_t linear, AccessKind access, uc_tlb_entry& entry);
  uc_prot permissions_of(const Translation& translation, std::uint64_t linear, AccessKind access);
  std::uint8_t software_interrupt_length(std::uint8_t vector);
  void handle_interrupt(std::uint32_t number);
  bool deliver_interrupt_first();
  void opened_window(std::uint32_t exit_code);
  void handle_interception(std::uint32_t exit_code);
  bool handle_invalid_instruction();
  [[noreturn]] void refuse_in_hook(Outcome outcome);

  // Instructions (intercepted_instructions.cc)
  void intercepted_cpuid();
  void intercepted_msr(bool is_write);
  void native_msr(bool is_write, std::uint32_t index, std::uint64_t value);
  void intercepted_control_register(bool is_write, unsigned number);
  void write_control_register(unsigned number, std::uint64_t value, std::uint64_t ve_qualification);
  void intercepted_halt();
  void intercepted_cache_instruction();
  void intercepted_pause();
  void intercepted_ve(std::uint32_t reason);
  bool td_call();

  // Instructions that the engine lacks (missing_instructions.cc)
  bool emulate_missing(const Instruction& instruction);
  void report_vector_instruction();
  std::uint64_t operand_address(const Instruction& instruction) const;
  std::uint64_t linear_address(SegmentIndex segment, std::uint64_t offset) const;
  bool read_operand(std::uint64_t linear, std::span<std::byte> bytes, AccessKind access);
  bool write_operand(std::uint64_t linear, std::span<const std::byte> bytes);
  bool simd_is_usable();
  void invpcid(const Instruction& instruction);
  void movdiri(const Instruction& instruction);
  void movdir64b(const Instruction& instruction);
  void sha(const Instruction& instruction);

  // XSAVE's family (xsave_instructions.cc)
  std::uint64_t requested_components(bool supervisor_form);
  std::uint64_t xss();
  bool xsave_may_start(bool supervisor_form, std::uint64_t address);
  ExtendedState extended_state(std::uint64_t components);
  void set_extended_state(const ExtendedState& state, std::uint64_t components);
  void xsave(Emulated what, const Instruction& instruction);
  void xrstor(Emulated what, const Instruction& instruction);
  ImageForm image_form(const Instruction& instruction) const;
  void xgetbv();
  void xsetbv();

  // System calls (system_calls.cc)
  void syscall();
  void sysenter();
  void enter_kernel(std::uint16_t code_selector, bool is_64_bit, std::uint64_t rip);
  void note_system_call_msr(std::uint32_t index, std::uint64_t value);

  /// Where the value of a read goes.
  struct ReadTarget {
    unsigned index = kRax;
    bool high = false;           ///< to bits 15:8 of the register
    unsigned size = 1;           ///< of the access
    unsigned register_size = 1;  ///< how much of the register is written
    bool sign_extends = false;
    bool is_string = false;  ///< INS: to memory instead
  };

  // Ports (port_access.cc)
  void handle_port_access(bool is_write, std::uint16_t port, unsigned size, std::uint32_t& value);
  [[noreturn]] void abandon_instruction();
  void abandoned_port_access();
  void step_string(Gpr pointer, unsigned size);
  bool store_string(std::uint64_t value, unsigned size);
  void store_read(const ReadTarget& target, std::uint64_t value);

  // MMIO of an ordinary VM (mmio_access.cc)
  void complete_mmio(std::uint64_t gpa, bool is_write);

  // What handlers do at their end. The context is saved; these change it and restore it.
  void finish(Outcome outcome, std::uint32_t ve_reason, std::uint64_t ve_qualification = 0,
              std::uint32_t ve_information = 0);
  void finish_instruction();
  void raise_single_step();
  void look_for_interrupt();
  void raise(std::uint8_t vector, std::optional<std::uint32_t> error_code = std::nullopt);
  void raise_ve(const VeInfo& info);
  void deliver_inside(const Event& event);
  Instruction current_instruction();
  CodeSize code_size() const;
  PagingState paging_state() const;
  void deliver(const Event& event);
  /// As the guest reads it: of kOwnCr4 the engine never has OSXSAVE and always OSFXSR.
  std::uint64_t guest_cr4() const { return (context_.cr(4) & ~kOwnCr4) | guest_cr4_; }
  /// Notes the guest's value; what the engine has in its place.
  std::uint64_t engine_cr4(std::uint64_t value) {
    guest_cr4_ = value & kOwnCr4;
    return (value & ~kOwnCr4) | cr4::kOsfxsr;
  }

  CpuEnvironment& environment_;
  Handles handles_;
  EngineLayout layout_;
  std::unique_ptr<InterceptionPages> interception_pages_;
  mutable EngineContext context_;  ///< a scratch copy: reading registers saves into it
  EngineMemory memory_;
  PageCache pages_;
  LinearMemory linear_;
  ExceptionDelivery delivery_;

  std::optional<RunResult> result_;     ///< why run() ends
  std::optional<Event> pending_event_;  ///< whose delivery was blocked
  bool inside_ = false;                 ///< in uc_emu_start(): how the context keeps flags
  std::array<std::byte, kMaximumInstructionLength> instruction_bytes_{};
  Instruction instruction_;
  std::size_t instruction_length_ = 0;
  std::uint64_t cr8_ = 0;
  static constexpr std::uint64_t kOwnCr4 = cr4::kOsxsave | cr4::kOsfxsr;
  std::uint64_t guest_cr4_ = 0;  ///< these bits of it
  std::uint64_t xcr0_ = 1;
  std::uint32_t tsc_aux_ = 0;
  struct SystemCallMsrs {
    std::uint64_t star = 0, lstar = 0, fmask = 0, sysenter_cs = 0, sysenter_esp = 0, sysenter_eip = 0;
  } system_call_;
  std::string failure_;

  /// The last access that fill_tlb() refused.
  struct Refusal {
    Translation translation;
    AccessKind access = AccessKind::Read;
  } refusal_;
  /// A port access that its helper cannot end; abandoned_port_access() does.
  struct PortAccess {
    bool is_write = false;
    std::uint16_t port = 0;
    unsigned size = 1;
    Outcome outcome = Outcome::Continue;
  };
  std::optional<PortAccess> port_access_;
  std::optional<Outcome> refused_in_hook_;  ///< likewise, of another instruction
  /// A read of an ordinary VM that waits for complete_read().
  struct UnfinishedRead {
    ReadTarget target;
    std::uint64_t rip = 0;
    std::size_t length = 0;
    bool registers_were_set = false;
  };
  std::optional<UnfinishedRead> unfinished_read_;

  EngineInternals internals_;
  CodePages* code_pages_ = nullptr;  ///< null: alone for ever
  bool alone_ = true;
  unsigned code_pages_member_ = 0;
  std::vector<std::byte*> writable_pages_;  ///< claimed in code_pages_ since the last flush_tlb()

  bool vector_instruction_reported_ = false;
  bool has_executed_ = false;  ///< since spinning was looked for
  SpinWatch::Clock::time_point rest_until_;
  SpinWatch looks_{kLooksAtSpinning};  ///< between two stays in uc_emu_start()
  SpinWatch pauses_{kPausesOfSpinning};
  std::uint64_t calls_ = 0;  ///< interceptions and calls of the guest, but no PAUSE

  std::atomic<bool> stop_requested_{false};
  /// Guest memory may be accessed without asking the environment again.
  std::atomic<bool> in_guest_{false};
  std::atomic<bool> requested_{false};
  std::mutex requests_mutex_;
  Requests requests_;                                 ///< guarded by requests_mutex_; not empty: requested_
  Requests code_requests_;                            ///< taken, but only run() can drop translations
  std::unordered_set<std::uint64_t> executed_pages_;  ///< GPAs with translated code

  EngineKicker kicker_;  ///< last: its thread uses the engine
};

}  // namespace virttdx::softhost
