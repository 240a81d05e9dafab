// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/worker_threads.h"

#include <QCoreApplication>
#include <QEvent>
#include <chrono>
#include <utility>

#include "support/log.h"

namespace virttdx::driver {
namespace {

// What gets an answer, gets it by then.
constexpr std::chrono::milliseconds kLastPatience{2000};

}  // namespace

WorkerThreads::WorkerThreads(int threads, WorkAtEnd at_end) : at_end_(at_end) {
  threads_->setMaxThreadCount(threads);
}

WorkerThreads::~WorkerThreads() {
  {
    const std::scoped_lock lock(event_loop_->mutex);
    event_loop_->object.reset();
  }
  if (at_end_ == WorkAtEnd::WaitFor) return;
  threads_->clear();
  if (threads_->waitForDone(kLastPatience.count())) return;
  log::warning("what does not answer is waited for no longer");
  // Its threads use it, and end with the process.
  static_cast<void>(threads_.release());
}

void WorkerThreads::run(std::function<void()> work, std::function<void()> finished) {
  threads_->start(
      [event_loop = event_loop_, work = std::move(work), finished = std::move(finished)]() mutable {
        work();
        const std::scoped_lock lock(event_loop->mutex);
        // Moved: what it holds is the event loop's to let go.
        if (event_loop->object)
          QMetaObject::invokeMethod(event_loop->object.get(), std::move(finished), Qt::QueuedConnection);
      });
}

void WorkerThreads::wait_for_all() {
  threads_->waitForDone();
  QCoreApplication::sendPostedEvents(event_loop_->object.get(), QEvent::MetaCall);
}

}  // namespace virttdx::driver
