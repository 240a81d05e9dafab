// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>

namespace virttdx {

/// A thread that works on a set of queues when their doorbell rings. Outlives the devices that use it.
class QueueWorker {
 public:
  virtual ~QueueWorker() = default;
  /// An eventfd. Any thread, always the same.
  virtual int doorbell() const = 0;
  /// Calls `task` on the thread, now and whenever the doorbell rings, until it is replaced. When this
  /// returns, the previous task is not running and will not be called again. nullptr: none. Any thread but
  /// the worker's.
  virtual void set_task(std::function<void()> task) = 0;
};

}  // namespace virttdx
