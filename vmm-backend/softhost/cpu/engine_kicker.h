// SPDX-License-Identifier: GPL-2.0-or-later
// Brings a running engine back to its run loop: at once when asked, and every millisecond so that the
// environment's clocks are looked at.
//
// uc_emu_stop() from another thread is lost when it comes before uc_emu_start() has begun, so a single call
// is not enough; this thread repeats it as long as the engine is inside. It is safe at any moment because
// EngineLayout::no_exit_request lets the engine test for a stop only between blocks.
#pragma once

#include <unicorn/unicorn.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace virttdx::softhost {

class EngineKicker {
 public:
  explicit EngineKicker(uc_engine* engine);
  ~EngineKicker();
  EngineKicker(const EngineKicker&) = delete;
  EngineKicker& operator=(const EngineKicker&) = delete;

  /// The engine's thread, around uc_emu_start().
  void enter();
  void leave() { inside_.store(false, std::memory_order_release); }

  /// Any thread: out of uc_emu_start() soon.
  void kick();
  /// The engine's thread: something waits for an instruction or two, look again much sooner than usual.
  void look_again_soon() { hurry_.store(true, std::memory_order_relaxed); }

 private:
  void work();

  uc_engine* engine_;
  std::atomic<bool> inside_{false}, asleep_{false}, wanted_{false}, hurry_{false};
  bool ends_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace virttdx::softhost
