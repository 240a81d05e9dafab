// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "control/event_loop.h"

namespace virttdx {

/// A task on an event loop that runs at most once a period, however often it is asked for: for what a guest
/// can cause. Loop's thread only.
class PacedTask {
 public:
  static Result<std::unique_ptr<PacedTask>> create(EventLoop& loop, std::chrono::milliseconds period,
                                                   std::function<void()> task);
  ~PacedTask();
  PacedTask(const PacedTask&) = delete;
  PacedTask& operator=(const PacedTask&) = delete;

  /// Runs the task: now, or once when the period of its last run is over.
  void request();

 private:
  PacedTask(EventLoop& loop, std::chrono::milliseconds period, std::function<void()> task)
      : loop_(loop), period_(period), task_(std::move(task)) {}
  void run();
  void period_over();

  EventLoop& loop_;
  const std::chrono::milliseconds period_;
  const std::function<void()> task_;
  UniqueFd timer_;
  EventLoop::Watch watch_;
  bool waits_ = false;      ///< the period of the last run is not over
  bool requested_ = false;  ///< while it waits
};

}  // namespace virttdx
