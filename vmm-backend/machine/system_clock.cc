// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine/system_clock.h"

#include <chrono>
#include <cstdlib>
#include <ctime>

namespace virttdx {
namespace {

std::int64_t local_time_offset(std::time_t now) {
  std::tm local{};
  return ::localtime_r(&now, &local) == nullptr ? 0 : local.tm_gmtoff;
}

}  // namespace

void use_time_zone(const VmConfig& config) {
  if (!config.clock_zone) return;
  ::setenv("TZ", config.clock_zone->c_str(), 1);
  ::tzset();
}

SystemClock::SystemClock(const VmConfig& config) {
  const std::time_t now = std::time(nullptr);
  std::int64_t base = config.clock == ClockBase::LocalTime ? local_time_offset(now) : 0;
  // What goes beyond 64 bits is no time that an RTC could show.
  if (config.clock_start_seconds && __builtin_sub_overflow(*config.clock_start_seconds, now, &base)) base = 0;
  if (__builtin_add_overflow(base, config.clock_offset_seconds, &offset_seconds_)) offset_seconds_ = base;
}

std::uint64_t SystemClock::monotonic_ns() const {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(now).count());
}

std::int64_t SystemClock::wall_seconds() const {
  const std::time_t now = std::time(nullptr);
  std::int64_t seconds;
  return __builtin_add_overflow(now, offset_seconds_, &seconds) ? now : seconds;
}

}  // namespace virttdx
