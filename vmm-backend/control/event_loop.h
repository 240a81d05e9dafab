// SPDX-License-Identifier: GPL-2.0-or-later
// The monitor's one thread that waits for sockets, terminals and signals.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx {

/// epoll(7) with callbacks. All functions belong to the thread that runs it, except post(), stop() and
/// change().
class EventLoop {
 public:
  /// EPOLLIN, EPOLLHUP, ... that came.
  using Callback = std::function<void(std::uint32_t events)>;
  /// One watched descriptor. Not its owner.
  struct Watch {
    int fd = -1;
    std::uint64_t id = 0;
  };

  static Result<std::unique_ptr<EventLoop>> create();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Calls `callback` from run() whenever one of `events` is ready, until remove().
  Result<Watch> add(int fd, std::uint32_t events, Callback callback);
  /// Waits for other events from now on. Any thread, while the descriptor is open.
  void change(const Watch& watch, std::uint32_t events);
  /// Before the descriptor is closed. The callback is not called again.
  void remove(const Watch& watch);

  /// Runs `task` on the loop's thread, in the order of the calls. Any thread.
  void post(std::function<void()> task);
  /// Makes run() return. Any thread.
  void stop();
  /// Until stop().
  void run();
  /// One round: waits at most `timeout` (negative: without limit) for something to do, and does it.
  void run_once(std::chrono::milliseconds timeout);

 private:
  EventLoop(UniqueFd epoll, UniqueFd wake) : epoll_(std::move(epoll)), wake_(std::move(wake)) {}
  void wake();
  void run_tasks();

  UniqueFd epoll_;
  UniqueFd wake_;
  std::uint64_t next_id_ = 1;  // 0 is wake_
  // Shared, because a callback may remove its own watch.
  std::unordered_map<std::uint64_t, std::shared_ptr<Callback>> callbacks_;
  std::mutex mutex_;  // guards what follows
  std::vector<std::function<void()>> tasks_;
  bool stopped_ = false;
};

}  // namespace virttdx
