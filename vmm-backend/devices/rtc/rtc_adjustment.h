// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

namespace virttdx {

/// Seconds that guests have moved their clock by. A battery keeps that while the machine is off: it may
/// outlive an Rtc and be another one's. Any thread.
class RtcAdjustment {
 public:
  using Watcher = std::function<void(std::int64_t seconds)>;
  /// `changed` is told on the thread that set it, with the Rtc locked.
  explicit RtcAdjustment(Watcher changed = {}) : changed_(std::move(changed)) {}
  std::int64_t seconds() const { return seconds_; }
  void set(std::int64_t seconds) {
    seconds_ = seconds;
    if (changed_) changed_(seconds);
  }

 private:
  std::atomic<std::int64_t> seconds_{0};
  const Watcher changed_;
};

}  // namespace virttdx
