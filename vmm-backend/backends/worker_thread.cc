// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/worker_thread.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <future>

namespace virttdx {

Result<std::unique_ptr<WorkerThread>> WorkerThread::create(const std::string& name,
                                                           std::function<void()> on_doorbell) {
  std::unique_ptr<WorkerThread> worker(new WorkerThread(name, std::move(on_doorbell)));
  worker->doorbell_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!worker->doorbell_) return fail_errno(errno, "cannot create the doorbell of {}", name);
  worker->loop_ = TRY(EventLoop::create());
  TRY(worker->loop_->add(worker->doorbell(), EPOLLIN,
                         [raw = worker.get()](std::uint32_t) { raw->drain_doorbell(); }));
  return worker;
}

WorkerThread::~WorkerThread() {
  if (!thread_.joinable()) return;
  loop_->stop();
  thread_.join();
}

void WorkerThread::start() {
  thread_ = std::thread([this] { loop_->run(); });
  // The kernel takes 15 bytes; a name that it refuses is no loss.
  ::pthread_setname_np(thread_.native_handle(), name_.substr(0, 15).c_str());
}

void WorkerThread::run(const std::function<void()>& task) {
  std::promise<void> done;
  loop_->post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

void WorkerThread::drain_doorbell() {
  eventfd_t rings = 0;
  ::eventfd_read(doorbell_.get(), &rings);
  on_doorbell_();
}

}  // namespace virttdx
