// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/eventfd.h>

#include <condition_variable>
#include <functional>
#include <mutex>

#include "devices/virtio/queue_worker.h"

namespace virttdx::test {

/// Runs a piece of work on a worker's thread whenever the worker would serve its device, until it says that
/// it is done.
class SteppedTask {
 public:
  explicit SteppedTask(QueueWorker& worker) : worker_(worker) {
    worker_.set_task([this] { step(); });
  }
  ~SteppedTask() { worker_.set_task(nullptr); }
  SteppedTask(const SteppedTask&) = delete;
  SteppedTask& operator=(const SteppedTask&) = delete;

  /// Returns when `work` has returned true. It is tried now and on every wake-up of the worker.
  void run_until(std::function<bool()> work) {
    std::unique_lock lock(mutex_);
    work_ = std::move(work);
    ::eventfd_write(worker_.doorbell(), 1);
    done_.wait(lock, [this] { return !work_; });
  }

 private:
  void step() {
    const std::lock_guard lock(mutex_);
    if (!work_ || !work_()) return;
    work_ = nullptr;
    done_.notify_all();
  }
  QueueWorker& worker_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::function<bool()> work_;
};

}  // namespace virttdx::test
