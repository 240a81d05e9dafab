// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/spin_watch.h"

#include <algorithm>
#include <utility>

namespace virttdx::softhost {

bool SpinWatch::is_known(const State& state) const {
  return std::any_of(states_.begin(), states_.end(), [&](const auto& known) { return known == state; });
}

SpinWatch::Clock::duration SpinWatch::met(const Registers& registers, std::uint64_t calls,
                                          Clock::time_point now) {
  if (std::exchange(calls_, calls) != calls) states_.fill(std::nullopt);
  const State state{registers.gpr, registers.rip};
  if (!is_known(state)) {
    states_[next_++ % kStates] = state;
    known_in_sequence_ = 0;
    since_ = now;
    return {};
  }
  if (++known_in_sequence_ < meetings_) return {};
  return std::min<Clock::duration>((now - since_) / 2, kLongestRest);
}

}  // namespace virttdx::softhost
