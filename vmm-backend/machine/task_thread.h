// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "support/result.h"

namespace virttdx {

/// A thread that runs tasks one after the other, in the order they were given. Any thread may give some.
class TaskThread {
 public:
  TaskThread() : thread_([this] { work(); }) {}
  /// Runs what is queued, then ends.
  ~TaskThread();
  TaskThread(const TaskThread&) = delete;
  TaskThread& operator=(const TaskThread&) = delete;

  /// Queues a task and returns.
  void post(std::function<void()> task);
  /// Queues a task and waits for its result. Not from a task.
  Result<> run(const std::function<Result<>()>& task);

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;  ///< guarded by mutex_
  bool ending_ = false;                      ///< guarded by mutex_
  std::thread thread_;                       // last: it uses what stands above
};

}  // namespace virttdx
