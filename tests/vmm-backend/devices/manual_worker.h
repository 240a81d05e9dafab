// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/eventfd.h>

#include "devices/virtio/queue_worker.h"
#include "support/unique_fd.h"

namespace virttdx::test {

/// A queue worker without a thread: pump() is the thread.
struct ManualWorker final : QueueWorker {
  int doorbell() const override { return bell.get(); }
  void set_task(std::function<void()> new_task) override {
    task = std::move(new_task);
    run();
  }
  void run() {
    if (task) task();
  }
  /// Serves the doorbell when it rang.
  void pump() {
    eventfd_t count = 0;
    if (::eventfd_read(bell.get(), &count) == 0) run();
  }
  UniqueFd bell{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::function<void()> task;
};

}  // namespace virttdx::test
