// SPDX-License-Identifier: GPL-2.0-or-later
// Brings a running engine back to its run loop: at once when asked, at a deadline, and every millisecond so
// that the environment's clocks and signals are looked at.
//
// EngineInternals::leave() is lost when it comes before uc_emu_start() has begun, so EngineInternals asks
// `wanted` where this has happened. It is safe at any moment because EngineLayout::no_exit_request lets the
// engine test for it only between blocks.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "softhost/cpu/engine_internals.h"

namespace virttdx::softhost {

class EngineKicker {
 public:
  explicit EngineKicker(const EngineInternals& engine);
  ~EngineKicker();
  EngineKicker(const EngineKicker&) = delete;
  EngineKicker& operator=(const EngineKicker&) = delete;

  /// The engine's thread: from here on it looks at everything that kick() was called for before.
  void begin_round() { wanted_.store(false); }
  /// The engine's thread, around uc_emu_start().
  void enter();
  void leave() { inside_.store(false, std::memory_order_release); }
  /// kick() was called since begin_round().
  const std::atomic<bool>& wanted() const { return wanted_; }

  /// Any thread: out of uc_emu_start() at the next block, or out of rest().
  void kick();
  /// The engine's thread: kick at that time of the steady clock in nanoseconds; UINT64_MAX for none.
  void set_deadline(std::uint64_t deadline_ns);
  /// The engine's thread: the next stay in uc_emu_start() is a short one.
  void look_soon() { soon_.store(true); }
  /// The engine's thread, outside of uc_emu_start(): sleeps until kick(), the deadline or as long as told.
  void rest(std::chrono::nanoseconds longest);

 private:
  void work();
  std::chrono::steady_clock::time_point deadline() const;

  const EngineInternals engine_;
  std::atomic<bool> inside_{false}, asleep_{false}, wanted_{false}, resting_{false}, soon_{false};
  std::atomic<std::uint64_t> deadline_ns_{UINT64_MAX};
  bool ends_ = false;  // guarded by mutex_
  std::mutex mutex_;
  std::condition_variable wake_, rest_;
  std::thread thread_;
};

}  // namespace virttdx::softhost
