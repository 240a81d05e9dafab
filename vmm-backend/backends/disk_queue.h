// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backends/disk_engine.h"
#include "backends/worker_thread.h"
#include "devices/virtio_blk/block_backend.h"
#include "vmm_backend/device_statistics.h"

namespace virttdx {

/// What a disk did since its monitor began. Any thread.
class DiskCounters {
 public:
  void count(BlockOperation::Kind kind, std::uint64_t bytes, std::uint64_t nanoseconds, int error);
  DiskStatistics snapshot() const;

 private:
  struct Row {
    std::atomic<std::uint64_t> requests = 0, bytes = 0, nanoseconds = 0;
  };
  std::array<Row, 5> rows_;  ///< by BlockOperation::Kind
  std::atomic<std::uint64_t> errors_ = 0;
};

/// A queue of a disk with its thread and engine.
class DiskQueue final : public BlockQueue {
 public:
  /// `queue_size`: operations in flight at most. `counters`, and what the engine uses, outlive it.
  static Result<std::unique_ptr<DiskQueue>> create(std::uint16_t queue_size,
                                                   std::unique_ptr<DiskEngine> engine, DiskCounters& counters,
                                                   const std::string& name);
  int doorbell() const override { return worker_->doorbell(); }
  void set_client(BlockClient* client) override;
  void submit(const BlockOperation& operation) override;

 private:
  /// For the counters, by token.
  struct Running {
    BlockOperation::Kind kind{};
    std::uint64_t bytes = 0;
    std::uint64_t begun_ns = 0;
  };
  DiskQueue(std::uint16_t queue_size, std::unique_ptr<DiskEngine> engine, DiskCounters& counters)
      : engine_(std::move(engine)), counters_(counters), running_(queue_size) {}
  // On the thread.
  void serve();
  void pump();
  void drain();
  void count(const BlockCompletion& completion);

  std::unique_ptr<DiskEngine> engine_;
  DiskCounters& counters_;
  std::vector<Running> running_;
  std::vector<BlockCompletion> done_;
  BlockClient* client_ = nullptr;
  std::unique_ptr<WorkerThread> worker_;  // last: it uses what stands above
};

}  // namespace virttdx
