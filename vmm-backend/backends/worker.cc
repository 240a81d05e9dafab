// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/worker.h"

namespace virttdx {

Result<std::unique_ptr<Worker>> Worker::create(const std::string& name) {
  std::unique_ptr<Worker> worker(new Worker);
  worker->thread_ = TRY(WorkerThread::create(name, [raw = worker.get()] { raw->run_task(); }));
  return worker;
}

void Worker::set_task(std::function<void()> task) {
  thread_->run([&] {
    task_ = std::move(task);
    run_task();
  });
}

void Worker::run_task() {
  if (task_) task_();
}

}  // namespace virttdx
