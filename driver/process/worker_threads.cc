// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/worker_threads.h"

#include <QCoreApplication>
#include <QEvent>
#include <utility>

namespace virttdx::driver {

WorkerThreads::WorkerThreads(int threads) { threads_.setMaxThreadCount(threads); }

void WorkerThreads::run(std::function<void()> work, std::function<void()> finished) {
  threads_.start([this, work = std::move(work), finished = std::move(finished)] {
    work();
    QMetaObject::invokeMethod(&event_loop_, finished, Qt::QueuedConnection);
  });
}

void WorkerThreads::wait_for_all() {
  threads_.waitForDone();
  QCoreApplication::sendPostedEvents(&event_loop_, QEvent::MetaCall);
}

}  // namespace virttdx::driver
