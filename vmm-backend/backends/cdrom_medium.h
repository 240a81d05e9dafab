// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "backends/queued_disk.h"
#include "devices/scsi/scsi_medium.h"
#include "support/memory_file.h"
#include "vmm_backend/device_config.h"
#include "vmm_backend/device_statistics.h"

namespace virttdx {

/// The disk whose first queue a CD-ROM drive reads: never written, served by a thread with waiting calls when
/// it is a raw file or block device, errors told to the guest.
DiskConfig disk_of_cdrom(const DiskConfig& config);

/// What lies in a CD-ROM drive: any disk. The guest's memory is not the disk's: bytes come by a memory file
/// here, which a read that came too late may still write to.
class CdromMedium final : public ScsiMedium, private BlockClient {
 public:
  /// What a guest's command, and whoever stops the drive meanwhile, wait for at most.
  static constexpr std::chrono::milliseconds kPatience{10'000};

  /// `disk`: of disk_of_cdrom().
  static Result<std::unique_ptr<CdromMedium>> create(std::unique_ptr<QueuedDisk> disk,
                                                     std::chrono::milliseconds patience = kPatience);

  std::uint64_t size() const override { return disk_->capacity(); }
  /// ETIMEDOUT: the disk is late; at once, as long as it is.
  int read(std::uint64_t offset, std::span<const iovec> buffers) override;
  DiskStatistics statistics() const { return disk_->statistics(); }

 private:
  using Clock = std::chrono::steady_clock;
  enum class State : std::uint8_t { Idle, Wanted, Running };

  CdromMedium(MemoryFile memory, std::unique_ptr<QueuedDisk> disk, std::chrono::milliseconds patience)
      : patience_(patience), memory_(std::move(memory)), disk_(std::move(disk)) {}
  int fetch(std::uint64_t offset, std::uint64_t size, Clock::time_point until);
  // On the queue's thread.
  void on_doorbell() override;
  void on_done(std::span<const BlockCompletion> completions) override;

  const std::chrono::milliseconds patience_;
  MemoryFile memory_;
  std::mutex mutex_;  ///< of the four behind it
  State state_ = State::Idle;
  iovec buffer_{};
  BlockOperation operation_;
  int error_ = 0;
  std::condition_variable changed_;
  std::unique_ptr<QueuedDisk> disk_;  // last: its thread uses what stands above
};

}  // namespace virttdx
