// SPDX-License-Identifier: GPL-2.0-or-later
// A serial back end in memory.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

#include "devices/serial/serial_backend.h"

namespace virttdx::test {

class MemorySerialBackend final : public SerialBackend {
 public:
  void write(std::span<const std::byte> bytes) override {
    const std::lock_guard lock(mutex_);
    for (const std::byte byte : bytes) output_.push_back(static_cast<char>(byte));
    changed_.notify_all();
  }
  std::size_t read(std::span<std::byte> into) override {
    const std::lock_guard lock(mutex_);
    const std::size_t count = std::min(into.size(), input_.size());
    for (std::size_t i = 0; i < count; ++i) {
      into[i] = static_cast<std::byte>(input_.front());
      input_.pop_front();
    }
    return count;
  }
  void set_input_listener(std::function<void()> listener) override {
    const std::lock_guard lock(listener_mutex_);
    listener_ = std::move(listener);
  }

  /// Input for the guest.
  void type(std::string_view text) {
    {
      const std::lock_guard lock(mutex_);
      input_.insert(input_.end(), text.begin(), text.end());
    }
    const std::lock_guard lock(listener_mutex_);
    if (listener_) listener_();
  }
  std::string output() const {
    const std::lock_guard lock(mutex_);
    return output_;
  }
  /// Waits until the output from `start` on holds `text`, or `give_up` says so (asked at least once a
  /// second); the position behind the text, or npos.
  template <typename GiveUp>
  std::size_t wait_for(std::string_view text, std::size_t start, GiveUp give_up) {
    std::unique_lock lock(mutex_);
    for (;;) {
      const std::size_t found = output_.find(text, start);
      if (found != std::string::npos) return found + text.size();
      if (give_up()) return std::string::npos;
      changed_.wait_for(lock, std::chrono::milliseconds(200));
    }
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string output_;
  std::deque<char> input_;
  std::mutex listener_mutex_;
  std::function<void()> listener_;  ///< guarded by listener_mutex_
};

}  // namespace virttdx::test
