// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine/task_thread.h"

#include <future>

namespace virttdx {

TaskThread::~TaskThread() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void TaskThread::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_all();
}

Result<> TaskThread::run(const std::function<Result<>()>& task) {
  CHECK(std::this_thread::get_id() != thread_.get_id());
  std::promise<Result<>> done;
  auto result = done.get_future();
  post([&] { done.set_value(task()); });
  return result.get();
}

void TaskThread::work() {
  for (;;) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return ending_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    const auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
  }
}

}  // namespace virttdx
