// SPDX-License-Identifier: GPL-2.0-or-later
// Exceptions and interrupts through the guest's IDT (Intel SDM volume 3, chapter 6).
#pragma once

#include <cstdint>
#include <optional>

#include "softhost/cpu/engine_context.h"
#include "softhost/cpu/linear_memory.h"

namespace virttdx::softhost {

struct Event {
  enum class Source : std::uint8_t { Exception, Software, External };
  std::uint8_t vector = 0;
  Source source = Source::Exception;
  std::optional<std::uint32_t> error_code;
  std::optional<std::uint64_t> cr2;
  /// Software only: how far RIP stands behind the instruction, which faults in turn when the gate refuses it.
  std::uint8_t instruction_length = 0;

  bool is_nmi() const { return source == Source::External && vector == 2; }
};
inline constexpr Event kNonMaskable{
    .vector = 2, .source = Event::Source::External, .error_code = {}, .cr2 = {}};

enum class Delivery : std::uint8_t {
  Done,  ///< the context stands at the handler's first instruction
  TripleFault,
  Blocked,  ///< a page needed answers Exit: leave run() and deliver again later
};

class ExceptionDelivery {
 public:
  ExceptionDelivery(EngineContext& context, LinearMemory& memory) : context_(context), memory_(memory) {}

  /// Changes the saved context, not the engine. `inside`: the engine is in uc_emu_start (how flags are kept).
  Delivery deliver(Event event, std::uint64_t flags, bool inside);

 private:
  struct Gate;
  struct Frame;
  /// What stopped an attempt: another exception, or a page.
  struct Obstacle {
    bool blocked = false;
    Event event;
  };
  using Attempt = std::optional<Obstacle>;

  void log_shutdown(const Event& first) const;
  Attempt attempt(const Event& event);
  Attempt attempt_real_mode(const Event& event);
  Attempt read_gate(const Event& event, Gate& gate);
  Attempt read_code_segment(const Event& event, Gate& gate);
  Attempt read_descriptor(std::uint16_t selector, std::uint8_t failing_vector, EngineSegment& segment);
  Attempt choose_stack(const Event& event, const Gate& gate, Frame& frame);
  Attempt read_stack_from_tss64(const Gate& gate, unsigned cpl, Frame& frame);
  Attempt read_stack_from_tss32(unsigned cpl, Frame& frame);
  Attempt push_frame(const Event& event, const Gate& gate, Frame& frame);
  void enter(const Gate& gate, const Frame& frame);
  Attempt read(std::uint64_t linear, std::span<std::byte> bytes);
  Attempt write(std::uint64_t linear, std::span<const std::byte> bytes);
  Attempt obstacle_of(const AccessFault& fault) const;
  static Attempt raise(std::uint8_t vector, std::uint32_t error_code);
  PagingState supervisor() const;

  EngineContext& context_;
  LinearMemory& memory_;
  std::uint64_t flags_ = 0;
  bool inside_ = false;
};

/// Whether the CPU pushes an error code for this exception.
bool has_error_code(std::uint8_t vector);

}  // namespace virttdx::softhost
