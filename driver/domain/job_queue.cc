// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain/job_queue.h"

#include <algorithm>
#include <utility>

namespace virttdx::driver {

void JobQueue::run(std::string_view name, std::chrono::milliseconds patience, Work work) {
  if (!holder_ && waiting_.empty()) return begin(std::string(name), work);
  waiting_.push_back({std::string(name), std::move(work), std::chrono::steady_clock::now() + patience});
  watch_first();
}

void JobQueue::begin(const std::string& name, const Work& work) {
  holder_ = Holder{name, std::chrono::steady_clock::now()};
  // The value stands for nothing: its end is what counts.
  work(Turn(this, [queue = std::weak_ptr<JobQueue*>(self_)](JobQueue*) {
    if (const auto alive = queue.lock()) (*alive)->end();
  }));
}

// The next job does not begin inside of what ended this one.
void JobQueue::end() {
  holder_.reset();
  if (waiting_.empty()) return;
  QTimer::singleShot(0, [queue = std::weak_ptr<JobQueue*>(self_)] {
    if (const auto alive = queue.lock()) (*alive)->begin_next();
  });
}

void JobQueue::begin_next() {
  if (holder_ || waiting_.empty()) return;
  const Waiting next = std::move(waiting_.front());
  waiting_.pop_front();
  watch_first();
  begin(next.name, next.work);
}

// All of a daemon's jobs wait equally long: the first one is late first.
void JobQueue::watch_first() {
  if (waiting_.empty()) return late_.reset();
  if (late_) return;
  const auto left = waiting_.front().until - std::chrono::steady_clock::now();
  late_.reset(new QTimer);
  late_->setSingleShot(true);
  QObject::connect(late_.get(), &QTimer::timeout, late_.get(), [this] { fail_late(); });
  late_->start(std::max(std::chrono::ceil<std::chrono::milliseconds>(left), std::chrono::milliseconds(0)));
}

void JobQueue::fail_late() {
  const auto alive = self_;
  late_.reset();
  const auto now = std::chrono::steady_clock::now();
  const std::string holder = holder_ ? holder_->name : "";
  std::deque<Waiting> late;
  while (!waiting_.empty() && waiting_.front().until <= now) {
    late.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  watch_first();
  for (const auto& job : late)
    job.work(fail(Error::Code::TimedOut, "cannot acquire state change lock (held by {}={})", kind_, holder));
}

}  // namespace virttdx::driver
