// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/disk_queue.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace virttdx {
namespace {

std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() /
                                    std::chrono::nanoseconds(1));
}

}  // namespace

void DiskCounters::count(BlockOperation::Kind kind, std::uint64_t bytes, std::uint64_t nanoseconds,
                         int error) {
  if (error != 0) {
    ++errors_;
    return;
  }
  Row& row = rows_.at(static_cast<std::size_t>(kind));
  ++row.requests;
  row.bytes += bytes;
  row.nanoseconds += nanoseconds;
}

DiskStatistics DiskCounters::snapshot() const {
  const auto row = [&](BlockOperation::Kind kind) -> const Row& {
    return rows_.at(static_cast<std::size_t>(kind));
  };
  const Row& reads = row(BlockOperation::Kind::Read);
  const Row& writes = row(BlockOperation::Kind::Write);
  const Row& flushes = row(BlockOperation::Kind::Flush);
  DiskStatistics statistics;
  statistics.read_requests = reads.requests;
  statistics.read_bytes = reads.bytes;
  statistics.read_time_ns = reads.nanoseconds;
  statistics.write_requests = writes.requests;
  statistics.write_bytes = writes.bytes;
  statistics.write_time_ns = writes.nanoseconds;
  statistics.flush_requests = flushes.requests;
  statistics.flush_time_ns = flushes.nanoseconds;
  statistics.discard_requests = row(BlockOperation::Kind::Discard).requests;
  statistics.write_zeroes_requests = row(BlockOperation::Kind::WriteZeroes).requests;
  statistics.errors = errors_;
  return statistics;
}

Result<std::unique_ptr<DiskQueue>> DiskQueue::create(const Parts& parts, std::unique_ptr<DiskEngine> engine,
                                                     const std::string& name) {
  std::unique_ptr<DiskQueue> queue(new DiskQueue(parts, std::move(engine)));
  queue->worker_ = TRY(WorkerThread::create(name, [raw = queue.get()] { raw->serve(); }));
  TRY(queue->watch());
  queue->worker_->start();
  return queue;
}

Result<> DiskQueue::watch() {
  timer_ = UniqueFd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer_) return fail_errno(errno, "cannot create the timer of a disk's limits");
  TRY(worker_->loop().add(timer_.get(), EPOLLIN, [this](std::uint32_t) {
    std::uint64_t expirations = 0;
    (void)!::read(timer_.get(), &expirations, sizeof expirations);
    begin_waiting();
    pump();
  }));
  if (engine_->event() >= 0)
    TRY(worker_->loop().add(engine_->event(), EPOLLIN, [this](std::uint32_t) { pump(); }));
  return {};
}

void DiskQueue::set_client(BlockClient* client) {
  worker_->run([this, client] {
    drain();
    client_ = client;
    serve();
  });
}

void DiskQueue::submit(const BlockOperation& operation) {
  running_[operation.token] = {operation, now_ns()};
  if (waiting_.empty() || operation.kind == BlockOperation::Kind::Flush) {
    if (begin(operation)) return;
  }
  waiting_.push_back(operation.token);
}

bool DiskQueue::begin(const BlockOperation& operation) {
  const std::uint64_t wait = parts_.limiter.admit(operation, now_ns());
  if (wait != 0) {
    wake_after(wait);
    return false;
  }
  engine_->submit(operation);
  return true;
}

void DiskQueue::begin_waiting() {
  while (!waiting_.empty() && begin(running_[waiting_.front()].operation)) waiting_.pop_front();
}

void DiskQueue::wake_after(std::uint64_t nanoseconds) const {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(nanoseconds / kSecond);
  when.it_value.tv_nsec = static_cast<long>(nanoseconds % kSecond);
  ::timerfd_settime(timer_.get(), 0, &when, nullptr);
}

void DiskQueue::retry() {
  worker_->run([this] {
    for (const std::uint32_t token : std::exchange(held_, {})) engine_->submit(running_[token].operation);
    pump();
  });
}

void DiskQueue::limits_changed() {
  worker_->run([this] {
    begin_waiting();
    pump();
  });
}

void DiskQueue::serve() {
  if (client_ == nullptr) return;
  client_->on_doorbell();
  pump();
}

// A client that is told of completions may begin more.
void DiskQueue::pump() {
  while (true) {
    engine_->flush();
    done_.clear();
    engine_->reap(done_, false);
    if (done_.empty()) return;
    for (const BlockCompletion& completion : done_) count(completion);
    hold_failed();
    if (client_ != nullptr && !done_.empty()) client_->on_done(done_);
  }
}

void DiskQueue::hold_failed() {
  std::erase_if(done_, [this](BlockCompletion& completion) {
    if (completion.error == 0) return false;
    const auto action = parts_.errors.decide(running_[completion.token].operation, completion.error);
    if (action == IoErrorAction::Ignore) completion.error = 0;
    if (action == IoErrorAction::Stop) held_.push_back(completion.token);
    return action == IoErrorAction::Stop;
  });
}

void DiskQueue::drain() {
  waiting_.clear();
  held_.clear();
  while (engine_->in_flight() > 0) {
    engine_->flush();
    done_.clear();
    engine_->reap(done_, true);
    for (const BlockCompletion& completion : done_) count(completion);
  }
}

void DiskQueue::count(const BlockCompletion& completion) {
  const Running& running = running_[completion.token];
  parts_.counters.count(running.operation.kind, running.operation.size, now_ns() - running.begun_ns,
                        completion.error);
}

}  // namespace virttdx
