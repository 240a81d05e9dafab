// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/paced_task.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace virttdx {

Result<std::unique_ptr<PacedTask>> PacedTask::create(EventLoop& loop, std::chrono::milliseconds period,
                                                     std::function<void()> task) {
  std::unique_ptr<PacedTask> paced(new PacedTask(loop, period, std::move(task)));
  paced->timer_ = UniqueFd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!paced->timer_) return fail_errno(errno, "cannot create a timer");
  paced->watch_ = TRY(
      loop.add(paced->timer_.get(), EPOLLIN, [task = paced.get()](std::uint32_t) { task->period_over(); }));
  return paced;
}

PacedTask::~PacedTask() {
  if (watch_.fd >= 0) loop_.remove(watch_);
}

void PacedTask::request() {
  if (!waits_) return run();
  requested_ = true;
}

void PacedTask::run() {
  waits_ = true;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(period_);
  const std::chrono::nanoseconds rest = period_ - seconds;
  const itimerspec when{.it_interval = {}, .it_value = {.tv_sec = seconds.count(), .tv_nsec = rest.count()}};
  ::timerfd_settime(timer_.get(), 0, &when, nullptr);
  task_();
}

void PacedTask::period_over() {
  std::uint64_t expirations;
  (void)!::read(timer_.get(), &expirations, sizeof expirations);
  waits_ = false;
  if (std::exchange(requested_, false)) run();
}

}  // namespace virttdx
