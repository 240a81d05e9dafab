// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine/system_clock.h"

#include <chrono>
#include <ctime>

namespace virttdx {

std::uint64_t SystemClock::monotonic_ns() const {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(now).count());
}

std::int64_t SystemClock::wall_seconds() const {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  const bool is_local = base_ == ClockBase::LocalTime && localtime_r(&now, &local) != nullptr;
  std::int64_t seconds;
  if (__builtin_add_overflow(now + (is_local ? local.tm_gmtoff : 0), offset_seconds_, &seconds)) return now;
  return seconds;
}

}  // namespace virttdx
