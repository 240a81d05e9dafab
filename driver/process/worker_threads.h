// SPDX-License-Identifier: GPL-2.0-or-later
// What would hold up the event loop - a disk, a library that waits for its daemon - done on other threads.
#pragma once

#include <QObject>
#include <QThreadPool>
#include <functional>

namespace virttdx::driver {

/// Used on the event loop's thread. Destroyed, it waits for the work that runs, and calls nobody any more.
class WorkerThreads {
 public:
  /// `threads`: pieces of work at the same time; more wait.
  explicit WorkerThreads(int threads);

  /// Does `work` on a thread, which shares nothing with others, then calls `finished` from the event loop.
  void run(std::function<void()> work, std::function<void()> finished);
  /// Waits until all work is done and each `finished` was called.
  void wait_for_all();

 private:
  QObject event_loop_;
  QThreadPool threads_;  // last: it waits for what runs
};

}  // namespace virttdx::driver
