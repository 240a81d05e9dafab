// SPDX-License-Identifier: GPL-2.0-or-later
// The local APIC's timer: one-shot, periodic and TSC-deadline.
#include <algorithm>
#include <limits>

#include "softhost/apic/local_apic.h"

namespace virttdx::softhost {

namespace {

using namespace apic;

constexpr std::size_t kTimerPlace = 1;
// A guest may ask for periods that nobody could serve; KVM's shortest is 200 us too.
constexpr std::uint64_t kShortestPeriodNs = 200'000;

std::uint64_t saturating_multiply(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::uint64_t>::max() : product;
}
std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::uint64_t>::max() : sum;
}

}  // namespace

std::uint32_t LocalApic::timer_mode() const { return lvt_[kTimerPlace] & kTimerModeMask; }

// Divide configuration: bits 3, 1 and 0; 0..6 are 2..128, 7 is 1.
std::uint64_t LocalApic::tick_ns() const {
  const auto code = (divide_ & 3) | (divide_ >> 1 & 4);
  const std::uint64_t divisor = code == 7 ? 1 : std::uint64_t{2} << code;
  return saturating_multiply(bus_cycle_ns_, divisor);
}

std::uint64_t LocalApic::period_ns() const {
  const auto period = saturating_multiply(timer_.initial_count, tick_ns());
  return timer_mode() == kTimerPeriodic ? std::max(period, kShortestPeriodNs) : period;
}

std::uint32_t LocalApic::current_count(std::uint64_t now_ns) const {
  if (!timer_.deadline_ns || timer_mode() == kTimerTscDeadline || timer_.initial_count == 0) return 0;
  auto deadline = *timer_.deadline_ns;
  if (now_ns >= deadline) {
    if (timer_mode() != kTimerPeriodic) return 0;
    deadline += ((now_ns - deadline) / period_ns() + 1) * period_ns();
  }
  const auto ticks = (deadline - now_ns) / tick_ns();
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(ticks, timer_.initial_count));
}

void LocalApic::write_timer_lvt(std::uint32_t value) {
  const auto old_mode = timer_mode();
  lvt_[kTimerPlace] = value;
  const bool into_or_out_of_deadline = (old_mode == kTimerTscDeadline) != (timer_mode() == kTimerTscDeadline);
  if (into_or_out_of_deadline) timer_ = {};
}

void LocalApic::write_initial_count(std::uint32_t count, std::uint64_t now_ns) {
  if (timer_mode() == kTimerTscDeadline) return;
  timer_.initial_count = count;
  timer_.deadline_ns.reset();
  if (count) timer_.deadline_ns = saturating_add(now_ns, period_ns());
}

// What is left of the current count goes on at the new rate.
void LocalApic::write_divide(std::uint32_t value, std::uint64_t now_ns) {
  const auto left = current_count(now_ns);
  divide_ = value;
  if (left) timer_.deadline_ns = saturating_add(now_ns, saturating_multiply(left, tick_ns()));
}

void LocalApic::set_tsc_deadline(std::uint64_t tsc, std::uint64_t deadline_ns) {
  const std::lock_guard lock(mutex_);
  if (timer_mode() != kTimerTscDeadline) return;
  timer_.tsc_deadline = tsc;
  timer_.deadline_ns.reset();
  if (tsc) timer_.deadline_ns = deadline_ns;
}

std::uint64_t LocalApic::tsc_deadline() const {
  const std::lock_guard lock(mutex_);
  return timer_.tsc_deadline;
}

std::optional<std::uint64_t> LocalApic::next_deadline() const {
  const std::lock_guard lock(mutex_);
  return timer_.deadline_ns;
}

void LocalApic::advance(std::uint64_t now_ns) {
  std::uint32_t entry = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!timer_.deadline_ns || now_ns < *timer_.deadline_ns) return;
    entry = lvt_[kTimerPlace];
    if (timer_mode() == kTimerPeriodic) {
      const auto missed = (now_ns - *timer_.deadline_ns) / period_ns();
      timer_.deadline_ns = saturating_add(*timer_.deadline_ns, saturating_multiply(missed + 1, period_ns()));
    } else {
      timer_.deadline_ns.reset();
      timer_.tsc_deadline = 0;
    }
  }
  if (!(entry & kLvtMasked)) inject(static_cast<std::uint8_t>(entry));
}

}  // namespace virttdx::softhost
