// SPDX-License-Identifier: GPL-2.0-or-later
// What libunicorn does for several CPUs and for interrupts but offers no API for.
//
// libunicorn translates LOCKed instructions into a load, an operation and a store, because it believes that
// its CPU is alone. Its translator knows atomic ones too and chooses by a word of its own. libunicorn exports
// all its functions and calls them through its symbol table, so that functions of the same name in this
// program are called instead: engine_internals.cc has some that set this word and go on to the library's. A
// trial finds the places of what they change and proves that they are called; a library where they are not is
// refused.
#pragma once

#include <unicorn/unicorn.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "support/result.h"

namespace virttdx::softhost {

/// From the first call on LOCKed instructions, XCHG with memory and CMPXCHG16B of every engine of this
/// process are atomic; a LOCKed access that is not aligned to its size is not. To be called before an engine
/// is made; thread-safe, does its work once. Error: Unsupported.
Result<void> prepare_engine_internals();

/// Handles to what the engine's main loop looks at between blocks. One engine's; calls belong to its thread,
/// inside uc_emu_start() or not, unless they say otherwise.
class EngineInternals {
 public:
  EngineInternals() = default;
  explicit EngineInternals(uc_engine* engine);

  /// uc_emu_start() at `rip`, left at once when `stop` is or becomes set before leave() works.
  uc_err start(std::uint64_t rip, const std::atomic<bool>& stop) const;
  /// Any thread: start() returns at the next block. Unlike uc_emu_stop(), which makes the engine skip hooks
  /// of SYSCALL, SYSENTER and RDTSCP, and so these instructions, until it has stopped.
  void leave() const;

  /// As soon as the guest takes interrupts, at the next instruction boundary behind the shadow of STI or
  /// MOV SS, the interception of virtual interrupts (exit code kVintr) comes to the interrupt hook; for NMIs,
  /// as soon as they are not blocked, that of NMIs (kNmi).
  enum class Window : std::uint32_t { Interrupt = 0x100, Nmi = 0x200 };
  void request_window(Window window) const;
  void cancel_window(Window window) const;

  /// Drops the engine's TLB, not its translations.
  void flush_tlb() const;
  /// Drops the translations of code in the page at this host address, if the engine has it mapped. Not inside
  /// uc_emu_start().
  void drop_code(std::byte* page) const;

 private:
  uc_engine* engine_ = nullptr;
  std::byte* cpu_ = nullptr;
};

}  // namespace virttdx::softhost
