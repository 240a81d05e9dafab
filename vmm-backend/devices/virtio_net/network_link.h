// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <utility>

namespace virttdx {

/// Whether an interface's cable is plugged in, and who is told when that changes. Any thread.
class NetworkLink {
 public:
  bool is_up() const { return is_up_.load(std::memory_order_relaxed); }
  /// Tells the watcher, on this thread, when it is a change.
  void set(bool up) {
    const std::lock_guard lock(mutex_);
    if (is_up_.exchange(up) != up && changed_) changed_();
  }
  /// When this returns, the previous watcher is not running and will not be called again. nullptr: none. The
  /// watcher must not call functions of this object but is_up().
  void watch(std::function<void()> changed) {
    const std::lock_guard lock(mutex_);
    changed_ = std::move(changed);
  }

 private:
  std::atomic<bool> is_up_ = true;
  std::mutex mutex_;
  std::function<void()> changed_;  ///< guarded by mutex_
};

}  // namespace virttdx
