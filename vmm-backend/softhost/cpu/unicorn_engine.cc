// SPDX-License-Identifier: GPL-2.0-or-later
// Making an engine and its registers.
#include "softhost/cpu/unicorn_engine.h"

#include <array>
#include <cstring>

#include "softhost/cpu/engine_internals.h"
#include "softhost/cpu/interception_pages.h"
#include "softhost/cpu/x86_spec.h"

namespace virttdx::softhost {

namespace {

/// Bit of an instruction in the engine's interception mask: its SVM exit code less 0x60.
constexpr std::uint64_t bit(unsigned exit_code) { return 1ULL << (exit_code - 0x60); }
constexpr std::uint64_t kInterceptedInstructions =
    bit(svm_exit::kNmi) | bit(svm_exit::kVintr) | bit(svm_exit::kRdpmc) | bit(svm_exit::kCpuid) |
    bit(svm_exit::kInvd) | bit(svm_exit::kHlt) | bit(svm_exit::kMsr) | bit(svm_exit::kWbinvd) |
    bit(svm_exit::kMonitor) | bit(svm_exit::kMwait);
constexpr std::uint16_t kCr0 = 1 << 0, kCr3 = 1 << 3, kCr4 = 1 << 4, kCr8 = 1 << 8;

std::uint32_t flags_of(const SegmentRegister& segment) {
  if (segment.unusable) return 0;
  return (segment.access_rights & 0xffU) << 8 | (segment.access_rights & 0xf000U) << 8;
}

EngineSegment to_engine(const SegmentRegister& segment) {
  return {segment.selector, segment.base, segment.limit, flags_of(segment)};
}

SegmentRegister from_engine(const EngineSegment& segment) {
  SegmentRegister result;
  result.base = segment.base;
  result.limit = segment.limit;
  result.selector = static_cast<std::uint16_t>(segment.selector);
  result.access_rights =
      static_cast<std::uint16_t>((segment.flags >> 8 & 0xff) | (segment.flags >> 8 & 0xf000));
  result.unusable = !(segment.flags & descriptor::kPresent);
  return result;
}

Error engine_error(uc_err error, const char* what) {
  return Error(Error::Code::Internal, fmt::format("libunicorn: {}: {}", what, uc_strerror(error)));
}

}  // namespace

UnicornEngine::Handles::~Handles() {
  if (context != nullptr) uc_context_free(context);
  if (engine != nullptr) uc_close(engine);
}

Result<UnicornEngine::Handles> UnicornEngine::open() {
  Handles handles;
  if (const uc_err error = uc_open(UC_ARCH_X86, UC_MODE_64, &handles.engine); error != UC_ERR_OK)
    return tl::unexpected(engine_error(error, "uc_open"));
  // The model with most of what TDX fixes to 1 among those libunicorn has.
  uc_err error = uc_ctl_set_cpu_model(handles.engine, UC_CPU_X86_ICELAKE_SERVER);
  if (error == UC_ERR_OK) error = uc_ctl_tlb_mode(handles.engine, UC_TLB_VIRTUAL);
  // Without exits uc_emu_start() would drop the block before its `until` argument at every return.
  if (error == UC_ERR_OK) error = uc_ctl_exits_enable(handles.engine);
  if (error == UC_ERR_OK) error = uc_context_alloc(handles.engine, &handles.context);
  if (error != UC_ERR_OK) return tl::unexpected(engine_error(error, "configuring the engine"));
  return handles;
}

UnicornEngine::UnicornEngine(CpuEnvironment& environment, Handles handles, const EngineLayout& layout)
    : environment_(environment),
      handles_(std::move(handles)),
      layout_(layout),
      interception_pages_(std::make_unique<InterceptionPages>()),
      context_(handles_.engine, handles_.context, layout),
      memory_(handles_.engine),
      pages_(static_cast<PageSource&>(*this)),
      linear_(pages_),
      delivery_(context_, linear_),
      internals_(handles_.engine),
      kicker_(internals_) {}

UnicornEngine::~UnicornEngine() {
  if (code_pages_ != nullptr) code_pages_->leave(code_pages_member_);
}

Result<std::unique_ptr<CpuEngine>> UnicornEngine::create(CpuEnvironment& environment) {
  TRY(prepare_engine_internals());
  Handles handles = TRY(open());
  const EngineLayout layout = TRY(EngineLayout::find(handles.engine, handles.context));
  std::unique_ptr<UnicornEngine> engine(new UnicornEngine(environment, std::move(handles), layout));
  TRY(engine->start());
  return std::unique_ptr<CpuEngine>(std::move(engine));
}

Result<void> UnicornEngine::start() {
  // SAFETY: EngineLayout found this boolean in the engine's structure. With it the engine tests for a stop
  // only at the start of a block: a stop after the store of a read-modify-write would run it twice.
  reinterpret_cast<bool*>(handles_.engine)[layout_.no_exit_request] = true;
  TRY(add_hooks());
  if (CodePages* const pages = environment_.code_pages(); pages != nullptr) {
    const auto member = pages->join(*this);
    if (!member) return fail(Error::Code::Unsupported, "a VM has at most {} CPUs", CodePages::kMaximumCpus);
    code_pages_member_ = *member;
    code_pages_ = pages;
    alone_ = pages->is_alone();
  }
  const PageAnswer pages{.kind = PageAnswer::Kind::Memory,
                         .host = reinterpret_cast<std::byte*>(interception_pages_.get()),
                         .span_before = 0,
                         .span_after = sizeof(InterceptionPages)};
  const std::uint64_t address = memory_.address_of(pages);
  if (address == 0) return fail(Error::Code::Internal, "libunicorn: cannot map the interception pages");
  interception_pages_->describe(address);
  set_system_registers(real_mode_reset());
  context_.save();
  context_.set_legacy_state({});  // libunicorn starts with all zero
  context_.restore();
  Registers registers;
  registers.rip = 0xfff0;
  set_registers(registers);
  return {};
}

Result<void> UnicornEngine::add_hooks() {
  struct Row {
    int type;
    void* callback;
    int instruction;
  };
  const std::array rows = {
      Row{UC_HOOK_TLB_FILL, reinterpret_cast<void*>(&on_tlb_fill), 0},
      Row{UC_HOOK_INTR, reinterpret_cast<void*>(&on_interrupt), 0},
      Row{UC_HOOK_INSN_INVALID, reinterpret_cast<void*>(&on_invalid_instruction), 0},
      Row{UC_HOOK_INSN, reinterpret_cast<void*>(&on_tsc), UC_X86_INS_RDTSC},
      Row{UC_HOOK_INSN, reinterpret_cast<void*>(&on_tscp), UC_X86_INS_RDTSCP},
      Row{UC_HOOK_INSN, reinterpret_cast<void*>(&on_in), UC_X86_INS_IN},
      Row{UC_HOOK_INSN, reinterpret_cast<void*>(&on_out), UC_X86_INS_OUT},
      Row{UC_HOOK_INSN, reinterpret_cast<void*>(&on_syscall), UC_X86_INS_SYSCALL},
      Row{UC_HOOK_INSN, reinterpret_cast<void*>(&on_sysenter), UC_X86_INS_SYSENTER},
  };
  for (const Row& row : rows) {
    uc_hook hook = 0;
    const uc_err error =
        uc_hook_add(handles_.engine, &hook, row.type, row.callback, this, 1, 0, row.instruction);
    if (error != UC_ERR_OK) return tl::unexpected(engine_error(error, "adding a hook"));
  }
  return {};
}

void UnicornEngine::intercept_instructions() {
  const std::uint16_t writes = environment_.is_td() ? kCr8 | kCr4 | kCr0 : kCr8 | kCr4;
  const std::uint16_t reads = kCr8 | kCr4 | kCr3;
  const std::uint64_t instructions = kInterceptedInstructions | (alone_ ? 0 : bit(svm_exit::kPause));
  context_.enable_interception(interception_pages_->address(), instructions, reads, writes);
}

Registers UnicornEngine::registers() const {
  if (!inside_) context_.save();
  Registers result;
  for (unsigned i = 0; i < result.gpr.size(); ++i) result.gpr[i] = context_.gpr(i);
  result.rip = context_.rip();
  result.rflags = context_.rflags();
  return result;
}

void UnicornEngine::set_registers(const Registers& registers) {
  if (unfinished_read_) unfinished_read_->registers_were_set = true;
  context_.save();
  for (unsigned i = 0; i < registers.gpr.size(); ++i) context_.set_gpr(i, registers.gpr[i]);
  context_.set_rip(registers.rip);
  context_.set_rflags(registers.rflags, inside_);
  context_.set_hflags(compute_hflags(context_, registers.rflags, context_.hflags() & hflag::kGuest));
  context_.restore();
}

SystemRegisters UnicornEngine::system_registers() const {
  if (!inside_) context_.save();
  SystemRegisters result;
  result.es = from_engine(context_.segment(SegmentIndex::Es));
  result.cs = from_engine(context_.segment(SegmentIndex::Cs));
  result.ss = from_engine(context_.segment(SegmentIndex::Ss));
  result.ds = from_engine(context_.segment(SegmentIndex::Ds));
  result.fs = from_engine(context_.segment(SegmentIndex::Fs));
  result.gs = from_engine(context_.segment(SegmentIndex::Gs));
  result.ldt = from_engine(context_.segment(SegmentIndex::Ldt));
  result.tr = from_engine(context_.segment(SegmentIndex::Tr));
  const EngineSegment gdt = context_.segment(SegmentIndex::Gdt);
  const EngineSegment idt = context_.segment(SegmentIndex::Idt);
  result.gdt = {gdt.base, static_cast<std::uint16_t>(gdt.limit)};
  result.idt = {idt.base, static_cast<std::uint16_t>(idt.limit)};
  result.cr0 = context_.cr(0);
  result.cr2 = context_.cr(2);
  result.cr3 = context_.cr(3) & ~kCr3NoFlush;
  result.cr4 = guest_cr4();
  result.cr8 = cr8_;
  result.efer = context_.efer();
  return result;
}

void UnicornEngine::set_system_registers(const SystemRegisters& registers) {
  context_.save();
  context_.set_segment(SegmentIndex::Es, to_engine(registers.es));
  context_.set_segment(SegmentIndex::Cs, to_engine(registers.cs));
  context_.set_segment(SegmentIndex::Ss, to_engine(registers.ss));
  context_.set_segment(SegmentIndex::Ds, to_engine(registers.ds));
  context_.set_segment(SegmentIndex::Fs, to_engine(registers.fs));
  context_.set_segment(SegmentIndex::Gs, to_engine(registers.gs));
  context_.set_segment(SegmentIndex::Ldt, to_engine(registers.ldt));
  context_.set_segment(SegmentIndex::Tr, to_engine(registers.tr));
  context_.set_segment(SegmentIndex::Gdt, {0, registers.gdt.base, registers.gdt.limit, 0});
  context_.set_segment(SegmentIndex::Idt, {0, registers.idt.base, registers.idt.limit, 0});
  context_.set_cr(0, registers.cr0 | cr0::kEt);
  context_.set_cr(2, registers.cr2);
  context_.set_cr(3, registers.cr3);
  context_.set_cr(4, engine_cr4(registers.cr4));
  context_.set_efer(registers.efer);
  cr8_ = registers.cr8;
  context_.set_hflags(compute_hflags(context_, context_.rflags(), 0));
  intercept_instructions();
  context_.restore();
  flush_tlb();
}

Result<std::unique_ptr<CpuEngine>> create_cpu_engine(CpuEnvironment& environment) {
  return UnicornEngine::create(environment);
}

}  // namespace virttdx::softhost
