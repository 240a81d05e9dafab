// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/delayed_work.h"

namespace virttdx::driver {

DelayedWork::DelayedWork(WorkerThreads& threads, std::chrono::milliseconds delay, std::function<void()> work)
    : work_(std::move(work)) {
  timer_.setSingleShot(true);
  timer_.setInterval(delay);
  QObject::connect(&timer_, &QTimer::timeout, &timer_, [this, &threads] { threads.run(work_, [] {}); });
}

DelayedWork::~DelayedWork() {
  if (timer_.isActive()) work_();
}

}  // namespace virttdx::driver
