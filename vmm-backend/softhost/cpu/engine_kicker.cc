// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/engine_kicker.h"

#include <pthread.h>

#include <algorithm>

namespace virttdx::softhost {

namespace {
using Clock = std::chrono::steady_clock;
constexpr std::chrono::microseconds kTick(1000), kShortStay(50);
/// After so many ticks without the engine inside, the thread sleeps until enter().
constexpr int kIdleTicks = 20;
}  // namespace

EngineKicker::EngineKicker(const EngineInternals& engine) : engine_(engine), thread_([this] { work(); }) {}

EngineKicker::~EngineKicker() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void EngineKicker::enter() {
  inside_.store(true);
  if (!asleep_.load() && !soon_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  wake_.notify_one();
}

void EngineKicker::kick() {
  wanted_.store(true);
  if (inside_.load()) engine_.leave();
  if (!resting_.load()) return;
  const std::lock_guard lock(mutex_);
  rest_.notify_one();
}

void EngineKicker::set_deadline(std::uint64_t deadline_ns) {
  const bool sooner = deadline_ns < deadline_ns_.exchange(deadline_ns);
  if (!sooner || Clock::time_point(std::chrono::nanoseconds(deadline_ns)) > Clock::now() + kTick) return;
  const std::lock_guard lock(mutex_);
  wake_.notify_one();
}

void EngineKicker::rest(std::chrono::nanoseconds longest) {
  std::unique_lock lock(mutex_);
  resting_.store(true);
  const auto end = std::min(Clock::now() + longest, deadline());
  rest_.wait_until(lock, end, [this] { return wanted_.load(); });
  resting_.store(false);
}

Clock::time_point EngineKicker::deadline() const {
  const std::uint64_t deadline = std::min<std::uint64_t>(deadline_ns_.load(), INT64_MAX);
  return Clock::time_point(std::chrono::nanoseconds(deadline));
}

void EngineKicker::work() {
  // Not the vCPU's name, which it inherits: the vCPU's thread is known to others by it.
  pthread_setname_np(pthread_self(), "engine-kicker");
  std::unique_lock lock(mutex_);
  int idle = 0;
  while (!ends_) {
    if (idle < kIdleTicks) {
      const auto tick = Clock::now() + (soon_.exchange(false) ? kShortStay : kTick);
      wake_.wait_until(lock, std::min<Clock::time_point>(tick, deadline()));
    } else {
      asleep_.store(true);
      wake_.wait(lock, [this] { return ends_ || inside_.load(); });
      asleep_.store(false);
    }
    const bool inside = inside_.load();
    idle = inside ? 0 : idle + 1;
    const std::uint64_t deadline = deadline_ns_.load();
    const auto now = static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
    if (deadline <= now) deadline_ns_.store(UINT64_MAX);  // once; the run loop sets the next
    if (!inside || soon_.load()) continue;                // woken to wait less
    wanted_.store(true);
    engine_.leave();
  }
}

}  // namespace virttdx::softhost
