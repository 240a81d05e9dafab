// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include "devices/virtio_blk/block_backend.h"
#include "vmm_backend/device_config.h"

namespace virttdx {

/// What disks of one group may do a second: leaky buckets, with the behaviour of QEMU's throttling
/// (docs/throttle.txt of QEMU, section "The algorithm"). Any thread.
class DiskLimiter {
 public:
  explicit DiskLimiter(const DiskLimits& limits = {}) { set(limits); }

  /// In place of the limits that it has. What was done before counts no more.
  void set(const DiskLimits& limits);
  /// Nanoseconds until the operation may begin. 0: now, and it is counted. Flushes may always. `now_ns`: of a
  /// clock that does not go back.
  std::uint64_t admit(const BlockOperation& operation, std::uint64_t now_ns);

 private:
  /// One rate: units that are over drain at `per_second`, or at `maximum` during a burst.
  struct Bucket {
    DiskRate rate;
    double level = 0;
    double burst_level = 0;  ///< only with bursts of more than a second
    void drain(double seconds);
    double seconds_to_wait() const;
    void fill(double units);
  };
  enum Index : std::uint8_t {
    kTotalBytes,
    kReadBytes,
    kWriteBytes,
    kTotalRequests,
    kReadRequests,
    kWriteRequests
  };
  double units(Index index, const BlockOperation& operation) const;

  std::atomic<bool> is_limited_ = false;
  std::mutex mutex_;
  std::array<Bucket, 6> buckets_;         ///< guarded by mutex_
  std::uint64_t request_unit_bytes_ = 0;  ///< guarded by mutex_
  std::uint64_t drained_ns_ = 0;          ///< guarded by mutex_; 0: not yet
};

}  // namespace virttdx
