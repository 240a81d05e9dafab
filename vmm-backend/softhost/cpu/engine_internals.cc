// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/engine_internals.h"

#include <dlfcn.h>
#include <malloc.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <optional>
#include <span>

namespace virttdx::softhost {

namespace {

/// Translation flags: atomic LOCKed instructions; the trial's length of a block, used for no other; a block
/// of one instruction in a combination that libunicorn itself does not use.
constexpr std::uint32_t kAtomic = 0x00080000, kTrialLength = 0x155, kPlainStep = 0x8001;
constexpr std::uint32_t kNoCluster = 0xff000000;

/// libunicorn 2.1's CPU structure begins with two numbers of cores (1), a thread, seven booleans, the flags
/// for the next translation (none: all ones) and the requested interrupts.
constexpr std::size_t kNextFlagsAt = 24, kRequestAt = 28;

/// `caller` is where translated code called.
template <typename T>
using CompareExchange = T(void* cpu, std::uint64_t linear, T expected, T desired, std::uint32_t access,
                          std::uintptr_t caller);

/// Functions of libunicorn.
struct Functions {
  void (*flush_tlb)(void* cpu) = nullptr;
  std::uint64_t (*ram_address)(uc_engine*, void* host) = nullptr;
  void (*drop_code)(uc_engine*, std::uint64_t begin, std::uint64_t end) = nullptr;
  void (*leave_block)(void* cpu) = nullptr;
  CompareExchange<std::uint32_t>*compare_exchange_8 = nullptr, *compare_exchange_16 = nullptr,
  *compare_exchange_32 = nullptr;
  CompareExchange<std::uint64_t>* compare_exchange_64 = nullptr;
};
Functions functions;

/// Places found by the trial.
struct Places {
  std::size_t translation_flags = 0;  ///< in the translator's context
  std::size_t cpu = 0;                ///< of the pointer to it, in uc_engine
};
Places places;

/// What the replaced functions tell the trial that runs on this thread.
struct Trial {
  std::byte* cpu = nullptr;
  std::optional<std::size_t> flags_at;
  std::uint32_t seen_request = 0;
  bool saw_exit = false;
};
thread_local Trial* trial = nullptr;
thread_local bool plain_translation = false;
/// The engine that this thread runs, and whether it shall stop.
struct Running {
  uc_engine* engine;
  const std::atomic<bool>& stop;
};
thread_local const Running* running = nullptr;

template <typename Function>
Function* of_library(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

std::uint32_t word_at(const std::byte* structure, std::size_t offset) {
  std::uint32_t word = 0;
  std::memcpy(&word, structure + offset, sizeof(word));
  return word;
}
void set_word(std::byte* structure, std::size_t offset, std::uint32_t word) {
  std::memcpy(structure + offset, &word, sizeof(word));
}

/// The place of the only word of that value within the first bytes of a structure.
std::optional<std::size_t> find_word(const std::byte* structure, std::uint32_t word) {
  constexpr std::size_t kSearched = 0x4000;  // the context is larger: 0x7388 bytes in 2.1.4
  std::optional<std::size_t> found;
  for (std::size_t at = 0; at < kSearched; at += sizeof(word)) {
    if (word_at(structure, at) != word) continue;
    if (found) return std::nullopt;
    found = at;
  }
  return found;
}

}  // namespace

// The replaced functions: their names and arguments are libunicorn's.
extern "C" {
__attribute__((visibility("default"))) void* tb_gen_code_x86_64(void* cpu, std::uint64_t pc,
                                                                std::uint64_t cs_base, std::uint32_t flags,
                                                                int cflags) {
  static auto* const library =
      of_library<void*(void*, std::uint64_t, std::uint64_t, std::uint32_t, int)>("tb_gen_code_x86_64");
  if (trial != nullptr) {
    trial->cpu = static_cast<std::byte*>(cpu);
    cflags |= static_cast<int>(kTrialLength);
  }
  plain_translation = (static_cast<std::uint32_t>(cflags) & 0xffff) == kPlainStep;
  return library(cpu, pc, cs_base, flags, cflags);
}

__attribute__((visibility("default"))) void tcg_func_start_x86_64(void* context) {
  static auto* const library = of_library<void(void*)>("tcg_func_start_x86_64");
  library(context);
  auto* const bytes = static_cast<std::byte*>(context);
  if (trial != nullptr) {
    trial->flags_at = find_word(bytes, kNoCluster | kTrialLength);
  } else if (!plain_translation) {
    set_word(bytes, places.translation_flags, word_at(bytes, places.translation_flags) | kAtomic);
  }
}

__attribute__((visibility("default"))) bool x86_cpu_exec_interrupt_x86_64(void* cpu, int requests) {
  static auto* const library = of_library<bool(void*, int)>("x86_cpu_exec_interrupt_x86_64");
  if (trial == nullptr) return library(cpu, requests);
  trial->seen_request = static_cast<std::uint32_t>(requests);
  return false;
}

// uc_emu_start() has forgotten earlier requests to leave by now and forgets none from now on.
__attribute__((visibility("default"))) void x86_cpu_exec_enter_x86_64(void* cpu) {
  static auto* const library = of_library<void(void*)>("x86_cpu_exec_enter_x86_64");
  library(cpu);
  if (running != nullptr && running->stop.load()) functions.leave_block(cpu);
}

// The main loop is left and would be entered again.
__attribute__((visibility("default"))) void x86_cpu_exec_exit_x86_64(void* cpu) {
  static auto* const library = of_library<void(void*)>("x86_cpu_exec_exit_x86_64");
  library(cpu);
  if (trial != nullptr) trial->saw_exit = true;
  if (running != nullptr) uc_emu_stop(running->engine);
}

// Called for an operand that is not aligned; libunicorn would try the instruction again for ever.
__attribute__((visibility("default"))) void cpu_loop_exit_atomic_x86_64(void* cpu, std::uintptr_t pc) {
  static auto* const library = of_library<void(void*, std::uintptr_t)>("cpu_loop_exit_atomic_x86_64");
  set_word(static_cast<std::byte*>(cpu), kNextFlagsAt, kPlainStep);
  library(cpu, pc);
}
}

namespace {
template <typename T>
T exchange(CompareExchange<T>* compare_exchange, void* cpu, std::uint64_t linear, T value,
           std::uint32_t access, std::uintptr_t caller) {
  T expected = 0;
  for (;;) {
    const T seen = compare_exchange(cpu, linear, expected, value, access, caller);
    if (seen == expected) return seen;
    expected = seen;
  }
}
}  // namespace

// XCHG with memory: the library's functions of these names are a load and a store.
#define VIRTTDX_EXCHANGE(name, type, size)                                                                 \
  extern "C" __attribute__((visibility("default"))) type name(void* cpu, std::uint64_t linear, type value, \
                                                              std::uint32_t access) {                      \
    const auto caller = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));                     \
    return exchange(functions.compare_exchange_##size, cpu, linear, value, access, caller);                \
  }
VIRTTDX_EXCHANGE(helper_atomic_xchgb_x86_64, std::uint32_t, 8)
VIRTTDX_EXCHANGE(helper_atomic_xchgw_le_x86_64, std::uint32_t, 16)
VIRTTDX_EXCHANGE(helper_atomic_xchgl_le_x86_64, std::uint32_t, 32)
VIRTTDX_EXCHANGE(helper_atomic_xchgq_le_x86_64, std::uint64_t, 64)
#undef VIRTTDX_EXCHANGE

// CMPXCHG8B and CMPXCHG16B ask the block for the mark, not the translator's context: so they are atomic
// without LOCK too, except where an operand that is not aligned is on its plain step. The library's functions
// find the instruction by their return address: nothing may stand between.
extern "C" {
__attribute__((visibility("hidden"))) void *plain_cmpxchg8b = nullptr, *atomic_cmpxchg8b = nullptr,
                                           *atomic_cmpxchg16b = nullptr;
}
asm(R"(
  .text
  .globl helper_cmpxchg8b_unlocked_x86_64
  .type helper_cmpxchg8b_unlocked_x86_64, @function
helper_cmpxchg8b_unlocked_x86_64:
  endbr64
  testb $7, %sil
  jnz 1f
  jmp *atomic_cmpxchg8b(%rip)
1:
  jmp *plain_cmpxchg8b(%rip)
  .size helper_cmpxchg8b_unlocked_x86_64, .-helper_cmpxchg8b_unlocked_x86_64
  .globl helper_cmpxchg16b_unlocked_x86_64
  .type helper_cmpxchg16b_unlocked_x86_64, @function
helper_cmpxchg16b_unlocked_x86_64:
  endbr64
  jmp *atomic_cmpxchg16b(%rip)
  .size helper_cmpxchg16b_unlocked_x86_64, .-helper_cmpxchg16b_unlocked_x86_64
)");

namespace {

Error unknown_library(const char* what) {
  const unsigned version = uc_version(nullptr, nullptr);
  return {Error::Code::Unsupported, fmt::format("libunicorn {}.{} {}; 2.1.4 as Debian builds it is known",
                                                version >> 24, version >> 16 & 0xff, what)};
}

/// An engine that runs a few bytes at 0x1000.
struct TrialEngine {
  TrialEngine() {
    uc_open(UC_ARCH_X86, UC_MODE_64, &engine);
    constexpr std::array<std::uint8_t, 3> kCode = {0xeb, 0x00, 0x90};  // jmp .+2; nop
    uc_mem_map(engine, kStart, 0x1000, UC_PROT_ALL);
    uc_mem_write(engine, kStart, kCode.data(), kCode.size());
  }
  ~TrialEngine() { uc_close(engine); }
  TrialEngine(const TrialEngine&) = delete;
  TrialEngine& operator=(const TrialEngine&) = delete;
  void run() const { uc_emu_start(engine, kStart, kStart + 3, 0, 0); }

  static constexpr std::uint64_t kStart = 0x1000;
  uc_engine* engine = nullptr;
};

Result<void> check_cpu_structure(const TrialEngine& engine, Trial& state) {
  constexpr auto kInterrupt = static_cast<std::uint32_t>(EngineInternals::Window::Interrupt);
  if (word_at(state.cpu, 0) != 1 || word_at(state.cpu, 4) != 1 ||
      word_at(state.cpu, kNextFlagsAt) != 0xffffffff || word_at(state.cpu, kRequestAt) != 0)
    return tl::unexpected(unknown_library("keeps its CPU in an unknown structure"));
  set_word(state.cpu, kRequestAt, kInterrupt);
  engine.run();
  set_word(state.cpu, kRequestAt, 0);
  if (state.seen_request != kInterrupt)
    return tl::unexpected(unknown_library("does not look for interrupts where it should"));
  if (!state.saw_exit) return tl::unexpected(unknown_library("leaves its main loop unseen"));
  return {};
}

std::optional<std::size_t> find_cpu_pointer(uc_engine* engine, const std::byte* cpu) {
  const auto* const structure = reinterpret_cast<const std::byte*>(engine);
  // SAFETY: uc_engine is one heap block; malloc_usable_size tells how much of it may be read.
  for (std::size_t at = 0; at + sizeof(cpu) <= malloc_usable_size(engine); at += sizeof(cpu))
    if (std::memcmp(structure + at, &cpu, sizeof(cpu)) == 0) return at;
  return std::nullopt;
}

template <typename Function>
bool found(Function*& pointer, const char* name) {
  pointer = of_library<Function>(name);
  return pointer != nullptr;
}

bool find_compare_exchanges() {
  return found(functions.compare_exchange_8, "helper_atomic_cmpxchgb_mmu_x86_64") &&
         found(functions.compare_exchange_16, "helper_atomic_cmpxchgw_le_mmu_x86_64") &&
         found(functions.compare_exchange_32, "helper_atomic_cmpxchgl_le_mmu_x86_64") &&
         found(functions.compare_exchange_64, "helper_atomic_cmpxchgq_le_mmu_x86_64");
}

bool find_functions() {
  plain_cmpxchg8b = dlsym(RTLD_NEXT, "helper_cmpxchg8b_unlocked_x86_64");
  atomic_cmpxchg8b = dlsym(RTLD_NEXT, "helper_cmpxchg8b_x86_64");
  atomic_cmpxchg16b = dlsym(RTLD_NEXT, "helper_cmpxchg16b_x86_64");
  return plain_cmpxchg8b != nullptr && atomic_cmpxchg8b != nullptr && atomic_cmpxchg16b != nullptr &&
         found(functions.flush_tlb, "tlb_flush_x86_64") &&
         found(functions.ram_address, "qemu_ram_addr_from_host_x86_64") &&
         found(functions.drop_code, "tb_invalidate_phys_range_x86_64") &&
         found(functions.leave_block, "cpu_exit") && find_compare_exchanges();
}

Result<Places> try_out() {
  if (!find_functions()) return tl::unexpected(unknown_library("lacks functions that it should have"));
  Trial state;
  trial = &state;
  const TrialEngine engine;
  engine.run();
  const Result<void> known = state.cpu != nullptr ? check_cpu_structure(engine, state) : Result<void>();
  trial = nullptr;
  TRY(known);
  if (state.cpu == nullptr || !state.flags_at)
    return tl::unexpected(unknown_library("does not let its translator be told of other CPUs"));
  const auto cpu = find_cpu_pointer(engine.engine, state.cpu);
  if (!cpu) return tl::unexpected(unknown_library("hides its CPU"));
  return Places{*state.flags_at, *cpu};
}

}  // namespace

Result<void> prepare_engine_internals() {
  static const Result<Places> found = [] {
    Result<Places> result = try_out();
    if (result) places = *result;
    return result;
  }();
  if (!found) return tl::unexpected(found.error());
  return {};
}

EngineInternals::EngineInternals(uc_engine* engine) : engine_(engine) {
  std::memcpy(&cpu_, reinterpret_cast<const std::byte*>(engine) + places.cpu, sizeof(cpu_));
}

uc_err EngineInternals::start(std::uint64_t rip, const std::atomic<bool>& stop) const {
  const Running here{engine_, stop};
  running = &here;
  const uc_err error = uc_emu_start(engine_, rip, 0, 0, 0);
  running = nullptr;
  return error;
}

void EngineInternals::leave() const { functions.leave_block(cpu_); }

void EngineInternals::request_window(Window window) const {
  set_word(cpu_, kRequestAt, word_at(cpu_, kRequestAt) | static_cast<std::uint32_t>(window));
}

void EngineInternals::cancel_window(Window window) const {
  set_word(cpu_, kRequestAt, word_at(cpu_, kRequestAt) & ~static_cast<std::uint32_t>(window));
}

void EngineInternals::flush_tlb() const { functions.flush_tlb(cpu_); }

void EngineInternals::drop_code(std::byte* page) const {
  constexpr std::uint64_t kPageSize = 4096, kNowhere = ~0ULL;
  const std::uint64_t address = functions.ram_address(engine_, page);
  if (address != kNowhere) functions.drop_code(engine_, address, address + kPageSize);
}

}  // namespace virttdx::softhost
