// SPDX-License-Identifier: GPL-2.0-or-later
// The engine's whole CPU state, hidden parts included, through libunicorn's context blob.
//
// The blob is a copy of the engine's CPU structure. Its layout is no interface: EngineLayout finds the places
// at run time by writing known values through libunicorn's API and looking where they land, and refuses an
// engine whose structure does not fit.
#pragma once

#include <unicorn/unicorn.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "softhost/cpu/cpu_engine.h"
#include "softhost/cpu/extended_state.h"
#include "support/result.h"

namespace virttdx::softhost {

/// Offsets into a uc_context, and into the uc_engine itself for the two things that have no API.
struct EngineLayout {
  std::size_t gpr = 0, eflags = 0, cc_dst = 0, hflags = 0, segments = 0, cr = 0, efer = 0, debug = 0;
  std::size_t fault_address = 0;    ///< in uc_engine: linear address of the last refused access
  std::size_t no_exit_request = 0;  ///< in uc_engine: no test for a stop after each memory access

  static Result<EngineLayout> find(uc_engine* engine, uc_context* scratch);
};

/// Hidden flags of the engine (what the translated code depends on).
namespace hflag {
inline constexpr std::uint32_t kCpl = 3, kInhibitIrq = 1 << 3, kCs32 = 1 << 4, kSs32 = 1 << 5,
                               kAddSeg = 1 << 6, kPe = 1 << 7, kMpEmTs = 7 << 9, kLma = 1 << 14,
                               kCs64 = 1 << 15, kGuest = 1 << 21, kOsfxsr = 1 << 22, kSmap = 1 << 23;
}

/// One segment cache as the engine keeps it.
struct EngineSegment {
  std::uint32_t selector = 0;
  std::uint64_t base = 0;
  std::uint32_t limit = 0;
  std::uint32_t flags = 0;  ///< upper double word of the descriptor
  unsigned dpl() const { return (flags >> 13) & 3; }
};

enum class SegmentIndex : std::uint8_t { Es, Cs, Ss, Ds, Fs, Gs, Ldt, Tr, Gdt, Idt };

/// A copy of the engine's state: save(), look and change, restore().
class EngineContext {
 public:
  EngineContext(uc_engine* engine, uc_context* context, const EngineLayout& layout)
      : engine_(engine), context_(context), layout_(layout) {}

  void save() { uc_context_save(engine_, context_); }
  void restore() { uc_context_restore(engine_, context_); }

  std::uint64_t gpr(unsigned index) const { return get<std::uint64_t>(layout_.gpr + index * 8UL); }
  void set_gpr(unsigned index, std::uint64_t value) { put(layout_.gpr + index * 8UL, value); }
  std::uint64_t rip() const { return get<std::uint64_t>(layout_.gpr + 128); }
  void set_rip(std::uint64_t value) { put(layout_.gpr + 128, value); }

  /// While the engine runs it keeps the arithmetic flags and DF apart from the others. The arithmetic flags
  /// need the engine's computation, so reading is the engine's.
  std::uint64_t rflags() const;
  void set_rflags(std::uint64_t value, bool inside);

  /// Clears flags outside of the arithmetic ones, whose computation the engine may have under way.
  void clear_system_flags(std::uint64_t mask) {
    put(layout_.eflags, get<std::uint64_t>(layout_.eflags) & ~mask);
  }

  bool single_steps() const { return get<std::uint64_t>(layout_.eflags) >> 8 & 1; }

  std::uint32_t hflags() const { return get<std::uint32_t>(layout_.hflags); }
  void set_hflags(std::uint32_t value) { put(layout_.hflags, value); }

  /// The engine unblocks NMIs at IRET.
  bool nmi_blocked() const { return get<std::uint32_t>(layout_.hflags + 4) & kNmiBlocked; }
  void block_nmi() { put(layout_.hflags + 4, get<std::uint32_t>(layout_.hflags + 4) | kNmiBlocked); }

  EngineSegment segment(SegmentIndex index) const;
  void set_segment(SegmentIndex index, const EngineSegment& segment);

  std::uint64_t cr(unsigned index) const { return get<std::uint64_t>(layout_.cr + index * 8UL); }
  void set_cr(unsigned index, std::uint64_t value) { put(layout_.cr + index * 8UL, value); }
  std::uint64_t efer() const { return get<std::uint64_t>(layout_.efer); }
  void set_efer(std::uint64_t value) { put(layout_.efer, value); }

  std::uint32_t error_code() const { return get<std::uint32_t>(layout_.debug - 16); }
  bool exception_is_software() const { return get<std::uint32_t>(layout_.debug - 12) != 0; }
  /// The engine merges contributory exceptions itself unless it believes none is being delivered.
  /// And it would go on behind the last INT instruction at every interception that follows it.
  void forget_exception() {
    put(layout_.debug + 96, std::uint32_t{0xffffffff});
    put(layout_.debug - 12, std::uint32_t{0});
  }

  /// Switches the engine's interception of instructions on (its model of AMD's SVM): an intercepted
  /// instruction arrives at the interrupt hook as number 0x100 + exit code, with RIP on it.
  void enable_interception(std::uint64_t control_block, std::uint64_t instructions, std::uint16_t cr_reads,
                           std::uint16_t cr_writes);

  XmmWords xmm(unsigned index) const;
  void set_xmm(unsigned index, const XmmWords& value);
  /// x87 and SSE.
  ExtendedState legacy_state() const;
  void set_legacy_state(const ExtendedState& state);

  std::uint64_t dr(unsigned index) const { return get<std::uint64_t>(layout_.debug + index * 8UL); }
  void set_dr(unsigned index, std::uint64_t value) { put(layout_.debug + index * 8UL, value); }

  unsigned cpl() const { return hflags() & hflag::kCpl; }
  bool is_64_bit_code() const { return hflags() & hflag::kCs64; }

 private:
  static constexpr std::uint32_t kNmiBlocked = 1 << 2;  ///< in the second word of hidden flags

  /// Through libunicorn's own access to a context.
  template <typename T>
  T register_value(int id) const {
    T value{};
    uc_context_reg_read(context_, id, &value);
    return value;
  }
  template <typename T>
  void set_register_value(int id, const T& value) {
    uc_context_reg_write(context_, id, &value);
  }
  template <typename T>
  T get(std::size_t offset) const {
    T value;
    std::memcpy(&value, reinterpret_cast<const std::byte*>(context_) + offset, sizeof(value));
    return value;
  }
  template <typename T>
  void put(std::size_t offset, T value) {
    std::memcpy(reinterpret_cast<std::byte*>(context_) + offset, &value, sizeof(value));
  }

  uc_engine* engine_;
  uc_context* context_;
  EngineLayout layout_;
};

/// The hidden flags that follow from control registers and segments, with `other` (interception) kept.
std::uint32_t compute_hflags(const EngineContext& context, std::uint64_t rflags, std::uint32_t other);

}  // namespace virttdx::softhost
