// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace virttdx {

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll || !wake) return fail_errno(errno, "cannot create an event loop");
  epoll_event event{};
  event.events = EPOLLIN;
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0)
    return fail_errno(errno, "cannot watch the event loop's eventfd");
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(epoll), std::move(wake)));
}

// Events carry the watch's number, not its descriptor: an event that was fetched before remove() must not
// reach the next watch of the same descriptor number.
Result<EventLoop::Watch> EventLoop::add(int fd, std::uint32_t events, Callback callback) {
  const Watch watch{fd, next_id_++};
  epoll_event event{};
  event.events = events;
  event.data.u64 = watch.id;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    return fail_errno(errno, "cannot watch descriptor {}", fd);
  callbacks_.emplace(watch.id, std::make_shared<Callback>(std::move(callback)));
  return watch;
}

void EventLoop::change(const Watch& watch, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = watch.id;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, watch.fd, &event);
}

void EventLoop::remove(const Watch& watch) {
  if (callbacks_.erase(watch.id) != 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watch.fd, nullptr);
}

void EventLoop::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake();
}

void EventLoop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake();
}

void EventLoop::run() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) return;
    }
    run_once(std::chrono::milliseconds(-1));
  }
}

void EventLoop::run_once(std::chrono::milliseconds timeout) {
  std::array<epoll_event, 32> ready;
  const int count = ::epoll_wait(epoll_.get(), ready.data(), ready.size(), static_cast<int>(timeout.count()));
  for (int i = 0; i < count; ++i) {
    const auto& event = ready.at(static_cast<std::size_t>(i));
    if (event.data.u64 == 0) {
      run_tasks();
      continue;
    }
    const auto found = callbacks_.find(event.data.u64);
    if (found == callbacks_.end()) continue;
    const auto callback = found->second;
    (*callback)(event.events);
  }
}

void EventLoop::wake() {
  const std::uint64_t one = 1;
  // It can fail only when the counter is full, and then the loop wakes anyway.
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void EventLoop::run_tasks() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto taken = ::read(wake_.get(), &count, sizeof count);
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (const auto& task : tasks) task();
}

}  // namespace virttdx
