// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/disk_queue.h"

#include <sys/epoll.h>

#include <chrono>

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

Result<std::unique_ptr<DiskQueue>> DiskQueue::create(std::uint16_t queue_size,
                                                     std::unique_ptr<DiskEngine> engine,
                                                     DiskCounters& counters, const std::string& name) {
  std::unique_ptr<DiskQueue> queue(new DiskQueue(queue_size, std::move(engine), counters));
  queue->worker_ = TRY(WorkerThread::create(name, [raw = queue.get()] { raw->serve(); }));
  if (queue->engine_->event() >= 0)
    TRY(queue->worker_->loop().add(queue->engine_->event(), EPOLLIN,
                                   [raw = queue.get()](std::uint32_t) { raw->pump(); }));
  queue->worker_->start();
  return queue;
}

void DiskQueue::set_client(BlockClient* client) {
  worker_->run([this, client] {
    drain();
    client_ = client;
    serve();
  });
}

void DiskQueue::submit(const BlockOperation& operation) {
  running_[operation.token] = {operation.kind, operation.size, now_ns()};
  engine_->submit(operation);
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
    if (client_ != nullptr) client_->on_done(done_);
  }
}

void DiskQueue::drain() {
  while (engine_->in_flight() > 0) {
    engine_->flush();
    done_.clear();
    engine_->reap(done_, true);
    for (const BlockCompletion& completion : done_) count(completion);
  }
}

void DiskQueue::count(const BlockCompletion& completion) {
  const Running& running = running_[completion.token];
  counters_.count(running.kind, running.bytes, now_ns() - running.begun_ns, completion.error);
}

}  // namespace virttdx
