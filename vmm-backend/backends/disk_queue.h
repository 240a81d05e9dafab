// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "backends/disk_engine.h"
#include "backends/disk_errors.h"
#include "backends/disk_limiter.h"
#include "backends/worker_thread.h"
#include "devices/virtio_blk/block_backend.h"
#include "support/unique_fd.h"
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

/// A queue of a disk with its thread and engine. It begins operations when the disk's limits allow it, and
/// holds those that failed and are to begin again.
class DiskQueue final : public BlockQueue {
 public:
  /// References outlive the queue.
  struct Parts {
    std::uint16_t queue_size = 0;  ///< operations in flight at most
    DiskCounters& counters;
    DiskErrors& errors;
    DiskLimiter& limiter;
  };
  /// What the engine uses outlives the queue.
  static Result<std::unique_ptr<DiskQueue>> create(const Parts& parts, std::unique_ptr<DiskEngine> engine,
                                                   const std::string& name);
  int doorbell() const override { return worker_->doorbell(); }
  void set_client(BlockClient* client) override;
  void submit(const BlockOperation& operation) override;

  // Any thread but the queue's.
  /// Begins held operations again.
  void retry();
  void limits_changed();

 private:
  struct Running {
    BlockOperation operation;
    std::uint64_t begun_ns = 0;
  };
  DiskQueue(const Parts& parts, std::unique_ptr<DiskEngine> engine)
      : parts_(parts), engine_(std::move(engine)), running_(parts.queue_size) {}
  Result<> watch();
  // On the thread.
  void serve();
  void pump();
  void drain();
  bool begin(const BlockOperation& operation);
  void begin_waiting();
  void wake_after(std::uint64_t nanoseconds) const;
  void hold_failed();
  void count(const BlockCompletion& completion);

  const Parts parts_;
  std::unique_ptr<DiskEngine> engine_;
  std::vector<Running> running_;       ///< by token
  std::deque<std::uint32_t> waiting_;  ///< tokens that the limits keep back, in order
  std::vector<std::uint32_t> held_;    ///< tokens of what failed and begins again
  std::vector<BlockCompletion> done_;
  BlockClient* client_ = nullptr;
  UniqueFd timer_;
  std::unique_ptr<WorkerThread> worker_;  // last: it uses what stands above
};

}  // namespace virttdx
