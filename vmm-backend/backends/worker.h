// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "backends/worker_thread.h"
#include "devices/virtio/queue_worker.h"

namespace virttdx {

/// A QueueWorker on a thread of its own.
class Worker final : public QueueWorker {
 public:
  static Result<std::unique_ptr<Worker>> create(const std::string& name);
  int doorbell() const override { return thread_->doorbell(); }
  void set_task(std::function<void()> task) override;
  /// The loop of its thread: descriptors are added before start() or on the thread.
  EventLoop& loop() { return thread_->loop(); }
  void start() { thread_->start(); }
  /// Runs the task once more. On the thread.
  void run_task();

 private:
  Worker() = default;
  std::function<void()> task_;            ///< the thread's
  std::unique_ptr<WorkerThread> thread_;  // last: it uses task_
};

}  // namespace virttdx
