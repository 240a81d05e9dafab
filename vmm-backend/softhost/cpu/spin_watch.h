// SPDX-License-Identifier: GPL-2.0-or-later
// Tells a CPU that waits for another one to write to memory from one that works, and for how long it may
// rest.
//
// A waiting CPU goes round a loop that changes none of its registers: it is met in few states again and again
// and asks for nothing meanwhile. Loops that count or read the time are left alone: they end by themselves.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "softhost/cpu/cpu_engine.h"

namespace virttdx::softhost {

/// One thread's object.
class SpinWatch {
 public:
  using Clock = std::chrono::steady_clock;
  /// A rest ends by itself after so long: nothing tells of a write to memory.
  static constexpr std::chrono::microseconds kLongestRest{4000};

  /// `meetings`: how often in sequence the CPU must be met in known states before it may rest.
  explicit SpinWatch(unsigned meetings) : meetings_(meetings) {}

  /// The CPU was met with `registers`, having asked for something `calls` times since it was made. Returns
  /// how long it may rest: half as long as it has waited by now, so that resting makes no wait longer than
  /// one and a half times, at most kLongestRest; zero when it does not seem to wait.
  Clock::duration met(const Registers& registers, std::uint64_t calls, Clock::time_point now);
  /// It was met in a known state the last time.
  bool suspects() const { return known_in_sequence_ != 0; }

 private:
  /// A loop of at most so many blocks (or PAUSEs) is recognized.
  static constexpr std::size_t kStates = 4;
  struct State {
    std::array<std::uint64_t, 16> gpr{};
    std::uint64_t rip = 0;
    bool operator==(const State&) const = default;
  };
  bool is_known(const State& state) const;

  unsigned meetings_;
  std::array<std::optional<State>, kStates> states_;
  std::size_t next_ = 0;  ///< of states_ to be replaced
  std::uint64_t calls_ = 0;
  unsigned known_in_sequence_ = 0;
  Clock::time_point since_;  ///< when the first state of the sequence was met
};

}  // namespace virttdx::softhost
