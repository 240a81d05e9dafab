// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/queued_disk.h"

namespace virttdx {

QueuedDisk::QueuedDisk(const DiskConfig& config, DiskSurroundings surroundings)
    : id_(config.id),
      target_(config.target),
      errors_(config, std::move(surroundings.on_error)),
      limiter_(surroundings.limiter ? std::move(surroundings.limiter)
                                    : std::make_shared<DiskLimiter>(config.limits)) {}

Result<> QueuedDisk::add_queue(std::uint16_t queue_size, std::unique_ptr<DiskEngine> engine) {
  queues_.push_back(TRY(DiskQueue::create(
      {.queue_size = queue_size, .counters = counters_, .errors = errors_, .limiter = *limiter_},
      std::move(engine), fmt::format("{}-{}", target_, queues_.size()))));
  return {};
}

void QueuedDisk::retry() {
  errors_.retrying();
  for (const auto& queue : queues_) queue->retry();
}

void QueuedDisk::limits_changed() {
  for (const auto& queue : queues_) queue->limits_changed();
}

Result<> QueuedDisk::resize(std::uint64_t bytes) {
  const auto& disk = properties();
  if (disk.read_only) return fail(Error::Code::WrongState, "disk '{}' is read-only", target_);
  if (bytes == 0 || bytes % disk.logical_block_size != 0)
    return fail(Error::Code::InvalidArgument, "disk '{}': {} bytes are no whole number of blocks of {} bytes",
                target_, bytes, disk.logical_block_size);
  set_capacity(TRY(resize_image(bytes)));
  return {};
}

DiskStatistics QueuedDisk::statistics() const {
  DiskStatistics statistics = counters_.snapshot();
  statistics.id = id_;
  statistics.target = target_;
  statistics.io_status = errors_.status();
  statistics.capacity = statistics.physical = statistics.allocated = capacity_;
  const auto status = image_status();
  if (!status || !S_ISREG(status->st_mode)) return statistics;
  constexpr std::uint64_t kBlock = 512;  // stat(2): st_blocks
  statistics.physical = static_cast<std::uint64_t>(status->st_size);
  statistics.allocated = static_cast<std::uint64_t>(status->st_blocks) * kBlock;
  return statistics;
}

}  // namespace virttdx
