// SPDX-License-Identifier: GPL-2.0-or-later
// What would hold up the event loop - a disk, a library that waits for its daemon - done on other threads.
#pragma once

#include <QObject>
#include <QThreadPool>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

namespace virttdx::driver {

/// What is done with work that runs when the daemon ends.
enum class WorkAtEnd : std::uint8_t {
  WaitFor,
  /// After a moment: it waits for somebody who may never answer.
  Abandon
};

/// Used on the event loop's thread. Destroyed, it calls nobody any more, and drops the work that has not
/// begun if it is to be abandoned.
class WorkerThreads {
 public:
  /// `threads`: pieces of work at the same time; more wait.
  explicit WorkerThreads(int threads, WorkAtEnd at_end = WorkAtEnd::WaitFor);
  WorkerThreads(const WorkerThreads&) = delete;
  WorkerThreads& operator=(const WorkerThreads&) = delete;
  ~WorkerThreads();

  /// Does `work` on a thread, which shares nothing with others, then calls `finished` from the event loop.
  void run(std::function<void()> work, std::function<void()> finished);
  /// Waits until all work is done and each `finished` was called.
  void wait_for_all();
  /// One piece of work that runs is waited for by nobody: another may run beside it ...
  void discount() { threads_->releaseThread(); }
  /// ... until it has ended.
  void count_again() { threads_->reserveThread(); }

 private:
  /// Where threads say that they have finished, as long as there is somebody to hear it.
  struct EventLoop {
    std::mutex mutex;
    std::unique_ptr<QObject> object = std::make_unique<QObject>();
  };
  const WorkAtEnd at_end_;
  const std::shared_ptr<EventLoop> event_loop_ = std::make_shared<EventLoop>();
  std::unique_ptr<QThreadPool> threads_ = std::make_unique<QThreadPool>();
};

}  // namespace virttdx::driver
