// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/engine_kicker.h"

namespace virttdx::softhost {

namespace {
constexpr auto kTick = std::chrono::milliseconds(1);
constexpr auto kHurry = std::chrono::microseconds(50);
/// After so many ticks without the engine inside, the thread sleeps until enter().
constexpr int kIdleTicks = 20;
}  // namespace

EngineKicker::EngineKicker(uc_engine* engine) : engine_(engine), thread_([this] { work(); }) {}

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
  const bool urgent = wanted_.load() || hurry_.load(std::memory_order_relaxed);
  if (!asleep_.load() && !urgent) return;
  const std::lock_guard lock(mutex_);
  wake_.notify_one();
}

void EngineKicker::kick() {
  wanted_.store(true);
  if (inside_.load()) uc_emu_stop(engine_);
  const std::lock_guard lock(mutex_);
  wake_.notify_one();
}

void EngineKicker::work() {
  std::unique_lock lock(mutex_);
  int idle = 0;
  while (!ends_) {
    const bool soon = hurry_.exchange(false);
    if (soon || idle < kIdleTicks) {
      wake_.wait_for(lock, soon ? std::chrono::nanoseconds(kHurry) : std::chrono::nanoseconds(kTick));
    } else {
      asleep_.store(true);
      wake_.wait(lock, [this] { return ends_ || inside_.load() || wanted_.load(); });
      asleep_.store(false);
    }
    if (wanted_.exchange(false))
      hurry_.store(true);  // once more: this stop may come before uc_emu_start() listens
    else if (hurry_.load())
      continue;  // woken only to wait less
    const bool inside = inside_.load(std::memory_order_acquire);
    if (inside) uc_emu_stop(engine_);
    idle = inside ? 0 : idle + 1;
  }
}

}  // namespace virttdx::softhost
