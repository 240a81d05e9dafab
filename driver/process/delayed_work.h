// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <QTimer>
#include <chrono>
#include <functional>

#include "process/worker_threads.h"

namespace virttdx::driver {

/// Work that many changes share: done once, on a thread, some time after the first of them. Used on the event
/// loop's thread. Destroyed, it does at once what is still to be done.
class DelayedWork {
 public:
  /// `threads` outlives it.
  DelayedWork(WorkerThreads& threads, std::chrono::milliseconds delay, std::function<void()> work);
  ~DelayedWork();
  DelayedWork(const DelayedWork&) = delete;
  DelayedWork& operator=(const DelayedWork&) = delete;

  /// There is something to do.
  void ask() {
    if (!timer_.isActive()) timer_.start();
  }

 private:
  const std::function<void()> work_;
  QTimer timer_;
};

}  // namespace virttdx::driver
