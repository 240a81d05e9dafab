// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "devices/virtio_blk/block_backend.h"
#include "vmm_backend/device_config.h"
#include "vmm_backend/device_statistics.h"
#include "vmm_backend/monitor_messages.h"

namespace virttdx {

/// Decides what becomes of a disk's failed operations, and tells of them. Any thread.
class DiskErrors {
 public:
  /// Gets an event IoError, and calls `taken` once it has gone out: until then no other with its outcome
  /// comes, so that a guest cannot fill memory with them. Must not wait.
  using Observer = std::function<void(MonitorEvent event, std::function<void()> taken)>;

  /// `observer` may be empty.
  DiskErrors(const DiskConfig& config, Observer observer);

  /// `error`: an errno value.
  IoErrorAction decide(const BlockOperation& operation, int error);
  DiskIoStatus status() const { return status_; }
  /// Held operations begin again.
  void retrying() { status_ = DiskIoStatus::Ok; }

 private:
  bool has_no_space(const BlockOperation& operation, int error) const;
  void tell(IoErrorAction action, const BlockOperation& operation, int error, bool no_space);

  const std::string id_, target_;
  const std::string file_;  ///< the image, when it is a file and the back end tells no cause
  const DiskErrorPolicy on_read_, on_write_;
  const Observer observer_;
  std::atomic<DiskIoStatus> status_ = DiskIoStatus::Ok;
  std::array<std::atomic<bool>, 3> is_telling_{};  ///< by IoErrorAction
};

}  // namespace virttdx
