// SPDX-License-Identifier: GPL-2.0-or-later
// Time as devices see it: injected, so that tests can set it and turn it back.
#pragma once

#include <cstdint>

namespace virttdx {

/// Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Nanoseconds since some fixed moment, for timers.
  virtual std::uint64_t monotonic_ns() const = 0;
  /// Seconds since 1970-01-01 00:00:00 of the wall clock that the guest's RTC shows (UTC or local time).
  virtual std::int64_t wall_seconds() const = 0;
};

}  // namespace virttdx
