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
  /// Tells the watcher, on this thread, when it is a change. False: the cable is cut, and the link stays
  /// down.
  bool set(bool up) {
    const std::lock_guard lock(mutex_);
    if (up && is_cut_) return false;
    change(up);
    return true;
  }
  /// The host side is gone: down for good.
  void cut() {
    const std::lock_guard lock(mutex_);
    if (std::exchange(is_cut_, true)) return;
    change(false);
    if (on_cut_) on_cut_();
  }
  bool is_cut() const {
    const std::lock_guard lock(mutex_);
    return is_cut_;
  }
  /// Told of the cut, on the thread that does it; must not call functions of this object but is_up().
  void tell_of_cut(std::function<void()> on_cut) {
    const std::lock_guard lock(mutex_);
    on_cut_ = std::move(on_cut);
  }
  /// When this returns, the previous watcher is not running and will not be called again. nullptr: none. The
  /// watcher must not call functions of this object but is_up().
  void watch(std::function<void()> changed) {
    const std::lock_guard lock(mutex_);
    changed_ = std::move(changed);
  }

 private:
  void change(bool up) {
    if (is_up_.exchange(up) != up && changed_) changed_();
  }

  std::atomic<bool> is_up_ = true;
  mutable std::mutex mutex_;  ///< of what follows
  bool is_cut_ = false;
  std::function<void()> changed_, on_cut_;
};

}  // namespace virttdx
