// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/disk_engine.h"
#include "backends/disk_errors.h"
#include "backends/disk_limiter.h"
#include "backends/disk_queue.h"
#include "devices/virtio_blk/block_backend.h"
#include "vmm_backend/device_statistics.h"

namespace virttdx {

/// What a disk has from its surroundings.
struct DiskSurroundings {
  DiskErrors::Observer on_error = {};
  /// Of its group; null: one of its own with the configured limits.
  std::shared_ptr<DiskLimiter> limiter = nullptr;
  /// Of a monitor that is confined and can make none; they outlive the disk. nullptr: it makes its own.
  SpareRings* rings = nullptr;
};

/// A disk of DiskQueues, with its statistics, limits and what becomes of its errors. Any thread.
class QueuedDisk : public BlockBackend {
 public:
  std::size_t queue_count() const final { return queues_.size(); }
  BlockQueue& queue(std::size_t index) final { return *queues_.at(index); }
  std::uint64_t capacity() const final { return capacity_; }
  void retry() final;

  DiskStatistics statistics() const;
  const std::string& id() const { return id_; }
  const std::shared_ptr<DiskLimiter>& limiter() const { return limiter_; }
  /// What waits for the limiter asks it again: its limits have changed.
  void limits_changed();
  /// Makes the image so large. What a larger one holds there is zeroes. Errors name the disk: no whole number
  /// of its blocks, a device of another size, read-only, those of the system.
  Result<> resize(std::uint64_t bytes);

 protected:
  QueuedDisk(const DiskConfig& config, DiskSurroundings surroundings);
  Result<> add_queue(std::uint16_t queue_size, std::unique_ptr<DiskEngine> engine);
  void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }
  /// Not with queues_ in use: before what their engines use is destroyed.
  void end_queues() { queues_.clear(); }
  /// Of the image, when it is a local file or device.
  virtual std::optional<struct stat> image_status() const = 0;
  /// Bytes are a multiple of the block size, and the disk may be written to. The size that it has then.
  virtual Result<std::uint64_t> resize_image(std::uint64_t bytes) = 0;

 private:
  const std::string id_, target_;
  std::atomic<std::uint64_t> capacity_ = 0;
  DiskCounters counters_;
  DiskErrors errors_;
  const std::shared_ptr<DiskLimiter> limiter_;
  std::vector<std::unique_ptr<DiskQueue>> queues_;
};

}  // namespace virttdx
