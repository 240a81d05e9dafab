// SPDX-License-Identifier: GPL-2.0-or-later
// The engine's hooks. All of them run inside uc_emu_start().
#include "softhost/cpu/interception_pages.h"
#include "softhost/cpu/unicorn_engine.h"
#include "softhost/cpu/x86_spec.h"

namespace virttdx::softhost {

namespace {
UnicornEngine& engine_of(void* self) { return *static_cast<UnicornEngine*>(self); }
}  // namespace

bool UnicornEngine::on_tlb_fill(uc_engine*, std::uint64_t linear, uc_mem_type type, uc_tlb_entry* entry,
                                void* self) {
  const AccessKind access = type == UC_MEM_WRITE   ? AccessKind::Write
                            : type == UC_MEM_FETCH ? AccessKind::Execute
                                                   : AccessKind::Read;
  return engine_of(self).fill_tlb(linear, access, *entry);
}

PagingState UnicornEngine::paging_state() const {
  PagingState state;
  state.cr0 = context_.cr(0);
  state.cr3 = context_.cr(3);
  state.cr4 = context_.cr(4);
  state.efer = context_.efer();
  state.user = context_.cpl() == 3;
  state.alignment_check = context_.rflags() & rflags::kAc;
  return state;
}

bool UnicornEngine::fill_tlb(std::uint64_t linear, AccessKind access, uc_tlb_entry& entry) {
  context_.save();
  PagingState state = paging_state();
  // Loading a segment register in user mode reads the descriptor table with supervisor rights, which the
  // engine does not tell us.
  if (state.user && access == AccessKind::Read) {
    const EngineSegment gdt = context_.segment(SegmentIndex::Gdt);
    const EngineSegment ldt = context_.segment(SegmentIndex::Ldt);
    const auto holds = [&](const EngineSegment& table) {
      return (linear | 0xfff) >= table.base && linear <= table.base + table.limit;
    };
    if (holds(gdt) || (ldt.limit != 0 && holds(ldt))) state.user = false;
  }
  const Translation translation = translate(state, linear, access, pages_);
  if (translation.kind == Translation::Kind::Page) {
    entry.paddr = memory_.address_of(translation.answer);
    entry.perms = permissions_of(translation, linear, access);
    if (entry.paddr != 0) return true;
  }
  refusal_ = {translation, access};
  return false;
}

/// The engine checks every store to a page that it holds as executable against its translated code, and never
/// stops; to other pages only the first. So data pages are given without execution, but pages that have been
/// executed always with it, whatever the guest's NX says: else their code would outlive a change of its
/// bytes.
uc_prot UnicornEngine::permissions_of(const Translation& translation, std::uint64_t linear,
                                      AccessKind access) {
  const std::uint64_t page = translation.gpa & ~0xfffULL;
  bool executable = access == AccessKind::Execute;
  if (executable) {
    // Another linear address of the page may be held as data by now.
    if (executed_pages_.insert(page).second && page != linear) flush_tlb();
  } else {
    executable = executed_pages_.contains(page);
  }
  bool writable = translation.writable;
  if (code_pages_ != nullptr) {
    std::byte* const host = translation.answer.host;
    const auto claim = code_pages_->claim(code_pages_member_, host, access, writable);
    if (claim.added) writable_pages_.push_back(host);
    writable = claim.may_write;
  }
  const int permissions = (translation.readable ? UC_PROT_READ : 0) | (writable ? UC_PROT_WRITE : 0) |
                          (executable ? UC_PROT_EXEC : 0);
  return static_cast<uc_prot>(permissions);
}

void UnicornEngine::on_interrupt(uc_engine*, std::uint32_t number, void* self) {
  engine_of(self).handle_interrupt(number);
}

void UnicornEngine::handle_interrupt(std::uint32_t number) {
  if (port_access_) return abandoned_port_access();
  if (refused_in_hook_) return finish(*std::exchange(refused_in_hook_, std::nullopt), exit_reason::kIo);
  context_.save();
  if (number >= svm_exit::kFirst) return handle_interception(number - svm_exit::kFirst);
  Event event{.vector = static_cast<std::uint8_t>(number), .error_code = {}, .cr2 = {}};
  if (context_.exception_is_software()) {
    event.source = Event::Source::Software;
    event.instruction_length = software_interrupt_length(event.vector);
  } else if (has_error_code(event.vector)) {
    event.error_code = context_.error_code();
  }
  deliver_inside(event);
}

/// RIP is behind INT n, INT3 or INTO.
std::uint8_t UnicornEngine::software_interrupt_length(std::uint8_t vector) {
  constexpr std::byte kInt3{0xcc}, kInto{0xce};
  std::byte last{};
  AccessFault fault;
  const std::uint64_t at = linear_address(SegmentIndex::Cs, context_.rip() - 1);
  if (!linear_.read(paging_state(), at, std::span(&last, 1), fault, AccessKind::Execute)) return 2;
  const bool is_short = (vector == 3 && last == kInt3) || (vector == 4 && last == kInto);
  return is_short ? 1 : 2;
}

/// Interrupts are looked for at kicks, at intercepted instructions, and where the guest begins to take them.
bool UnicornEngine::deliver_interrupt_first() {
  const auto interrupt = environment_.pending_interrupt();
  if (!interrupt) return false;
  if (!interrupts_enabled()) {
    internals_.request_window(EngineInternals::Window::Interrupt);
    return false;
  }
  environment_.acknowledge_interrupt(*interrupt);
  deliver_inside({.vector = *interrupt, .source = Event::Source::External, .error_code = {}, .cr2 = {}});
  return true;
}

/// The guest takes interrupts or NMIs again.
void UnicornEngine::opened_window(std::uint32_t exit_code) {
  if (exit_code == svm_exit::kNmi) {
    internals_.cancel_window(EngineInternals::Window::Nmi);
    if (nmi_is_due()) deliver_inside(kNonMaskable);
    return;
  }
  internals_.cancel_window(EngineInternals::Window::Interrupt);
  deliver_interrupt_first();
}

void UnicornEngine::handle_interception(std::uint32_t exit_code) {
  if (exit_code == svm_exit::kNmi || exit_code == svm_exit::kVintr) return opened_window(exit_code);
  if (exit_code != svm_exit::kPause) ++calls_;
  if (deliver_interrupt_first()) return;
  if (exit_code < svm_exit::kWriteCr0)
    return intercepted_control_register(false, exit_code - svm_exit::kReadCr0);
  if (exit_code < svm_exit::kWriteCr0 + 16)
    return intercepted_control_register(true, exit_code - svm_exit::kWriteCr0);
  switch (exit_code) {
    case svm_exit::kCpuid:
      return intercepted_cpuid();
    case svm_exit::kMsr:
      return intercepted_msr(context_.error_code() == 1);
    case svm_exit::kHlt:
      return intercepted_halt();
    case svm_exit::kPause:
      return intercepted_pause();
    case svm_exit::kInvd:
    case svm_exit::kWbinvd:
      return intercepted_cache_instruction();
    case svm_exit::kRdpmc:
      return raise(vector::kGeneralProtection, 0);
    case svm_exit::kMonitor:
    case svm_exit::kMwait:
      return raise(vector::kInvalidOpcode);
    default:
      return fail_with(fmt::format("unexpected interception {:#x}", exit_code));
  }
}

bool UnicornEngine::on_invalid_instruction(uc_engine*, void* self) {
  return engine_of(self).handle_invalid_instruction();
}

bool UnicornEngine::handle_invalid_instruction() {
  context_.save();
  ++calls_;
  const Instruction instruction = current_instruction();
  constexpr std::uint8_t kTdcall = 0xcc, kVmcall = 0xc1;
  const bool is_0f01 = instruction.is(1, 0x01);
  if (is_0f01 && instruction.modrm == kTdcall && instruction.operand_size_prefix && environment_.is_td())
    td_call();
  else if (is_0f01 && instruction.modrm == kVmcall && environment_.is_td())
    intercepted_ve(exit_reason::kVmcall);
  else if (!emulate_missing(instruction)) {
    report_vector_instruction();
    raise(vector::kInvalidOpcode);
  }
  return true;
}

int UnicornEngine::on_tsc(uc_engine* engine, void* self) {
  const std::uint64_t tsc = engine_of(self).environment_.tsc();
  const std::uint64_t low = tsc & 0xffffffff, high = tsc >> 32;
  uc_reg_write(engine, UC_X86_REG_RAX, &low);
  uc_reg_write(engine, UC_X86_REG_RDX, &high);
  return 1;
}

int UnicornEngine::on_tscp(uc_engine* engine, void* self) {
  const std::uint64_t aux = engine_of(self).tsc_aux_;
  uc_reg_write(engine, UC_X86_REG_RCX, &aux);
  return on_tsc(engine, self);
}

std::uint32_t UnicornEngine::on_in(uc_engine*, std::uint32_t port, int size, void* self) {
  std::uint32_t value = 0;
  engine_of(self).handle_port_access(false, static_cast<std::uint16_t>(port), static_cast<unsigned>(size),
                                     value);
  return value;
}

void UnicornEngine::on_out(uc_engine*, std::uint32_t port, int size, std::uint32_t value, void* self) {
  engine_of(self).handle_port_access(true, static_cast<std::uint16_t>(port), static_cast<unsigned>(size),
                                     value);
}

/// For hooks of the same kind as a port's (abandon_instruction()) whose instruction has raised an exception.
void UnicornEngine::refuse_in_hook(Outcome outcome) {
  refused_in_hook_ = outcome;
  abandon_instruction();
}

CodeSize UnicornEngine::code_size() const {
  const std::uint32_t hflags = context_.hflags();
  if (hflags & hflag::kCs64) return CodeSize::Bits64;
  return hflags & hflag::kCs32 ? CodeSize::Bits32 : CodeSize::Bits16;
}

/// Decodes what stands at RIP into instruction_; invalid when it cannot be read.
Instruction UnicornEngine::current_instruction() {
  const CodeSize size = code_size();
  const std::uint64_t base = size == CodeSize::Bits64 ? 0 : context_.segment(SegmentIndex::Cs).base;
  std::uint64_t linear = base + context_.rip();
  if (size != CodeSize::Bits64) linear &= 0xffffffff;
  const PagingState state = paging_state();
  // The bytes that the instruction does not have may lie on a page that cannot be read.
  const std::size_t in_page = std::min<std::size_t>(kMaximumInstructionLength, 4096 - linear % 4096);
  AccessFault fault;
  const std::span<std::byte> bytes(instruction_bytes_);
  std::size_t available = 0;
  if (linear_.read(state, linear, bytes.first(in_page), fault, AccessKind::Execute)) available = in_page;
  const bool rest = available != 0 && in_page < bytes.size();
  if (rest && linear_.read(state, linear + in_page, bytes.subspan(in_page), fault, AccessKind::Execute))
    available = bytes.size();
  instruction_ = decode(bytes.first(available), size);
  instruction_length_ = instruction_.immediate_at;
  return instruction_;
}

void UnicornEngine::deliver_inside(const Event& event) {
  switch (delivery_.deliver(event, context_.rflags(), true)) {
    case Delivery::Done:
      if (event.is_nmi()) context_.block_nmi();
      return context_.restore();
    case Delivery::TripleFault:
      return leave(RunResult::TripleFault);
    case Delivery::Blocked:
      pending_event_ = event;
      return leave(RunResult::EnvironmentExit);
  }
}

void UnicornEngine::deliver(const Event& event) {
  if (inside_)
    deliver_inside(event);
  else
    deliver_outside(event);
}

void UnicornEngine::raise(std::uint8_t vector, std::optional<std::uint32_t> error_code) {
  deliver_inside({.vector = vector, .error_code = error_code, .cr2 = {}});
}

void UnicornEngine::raise_ve(const VeInfo& info) {
  if (environment_.store_ve(info)) return raise(vector::kVirtualization);
  raise(vector::kDoubleFault, 0);
}

/// Steps over the instruction and lets an interrupt in that became possible with it.
void UnicornEngine::finish_instruction() {
  std::uint64_t rip = context_.rip() + instruction_length_;
  if (!context_.is_64_bit_code()) rip &= 0xffffffff;
  context_.set_rip(rip);
  context_.set_hflags(context_.hflags() & ~hflag::kInhibitIrq);
  context_.forget_exception();
  if (context_.single_steps()) return raise_single_step();
  context_.restore();
}

void UnicornEngine::raise_single_step() {
  context_.set_dr(6, context_.dr(6) | dr6::kSingleStep);
  raise(vector::kDebug);
}

void UnicornEngine::finish(Outcome outcome, std::uint32_t ve_reason, std::uint64_t ve_qualification,
                           std::uint32_t ve_information) {
  switch (outcome) {
    case Outcome::Continue:
    case Outcome::Native:
      return finish_instruction();
    case Outcome::Exit:
      finish_instruction();
      return leave(RunResult::EnvironmentExit);
    case Outcome::ExitAndRetry:
      context_.restore();
      return leave(RunResult::EnvironmentExit);
    case Outcome::GeneralProtection:
      return raise(vector::kGeneralProtection, 0);
    case Outcome::InvalidOpcode:
      return raise(vector::kInvalidOpcode);
    case Outcome::Ve:
      return raise_ve({.exit_reason = ve_reason,
                       .exit_qualification = ve_qualification,
                       .instruction_length = static_cast<std::uint32_t>(instruction_length_),
                       .instruction_information = ve_information});
  }
}

}  // namespace virttdx::softhost
