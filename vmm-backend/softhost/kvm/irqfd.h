// SPDX-License-Identifier: GPL-2.0-or-later
// Eventfds that raise interrupts (KVM_IRQFD).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "support/unique_fd.h"

namespace virttdx::softhost {

/// Thread-safe. A thread of its own waits for the eventfds; it runs from the first assignment on.
class Irqfds {
 public:
  /// `raise` is called with the GSI of an eventfd that was signalled, on that thread.
  explicit Irqfds(std::function<void(std::uint32_t gsi)> raise) : raise_(std::move(raise)) {}
  ~Irqfds() { stop(); }
  Irqfds(const Irqfds&) = delete;
  Irqfds& operator=(const Irqfds&) = delete;

  /// 0, -EBADF or -EINVAL (no eventfd), -EBUSY (assigned already), or another -errno.
  int assign(int fd, std::uint32_t gsi);
  /// Ends the thread; nothing is raised afterwards.
  void stop();
  /// Always 0, as KVM answers.
  int deassign(int fd, std::uint32_t gsi);

 private:
  struct Assignment {
    UniqueFd eventfd;  // a duplicate of the monitor's
    std::uint32_t gsi = 0;
  };
  int start();
  void wait_for_events();
  void raise_interrupt_of(int fd);

  const std::function<void(std::uint32_t)> raise_;
  std::mutex mutex_;
  std::map<int, Assignment> assignments_;  // by the monitor's number; guarded by mutex_
  UniqueFd epoll_;
  UniqueFd stop_event_;
  std::thread thread_;
};

}  // namespace virttdx::softhost
