// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/disk_device.h"
#include "backends/disk_queue.h"
#include "backends/storage_daemon/daemon_process.h"
#include "backends/vhost_user/front_end.h"
#include "support/memory_file.h"
#include "vmm_backend/device_config.h"

namespace virttdx {

/// A disk that a vhost-user-blk back end serves: a qemu-storage-daemon of its own. When it ends, requests end
/// with errors; the TD and its other devices run on. Any thread.
class DaemonDisk final : public DiskDevice {
 public:
  /// Starts the daemon and waits until it has opened the image. Errors name the disk; the daemon's own words
  /// are in the log.
  static Result<std::unique_ptr<DaemonDisk>> create(const DiskConfig& config);
  /// On a back end's socket, whoever serves it.
  static Result<std::unique_ptr<DaemonDisk>> create_on(const DiskConfig& config, UniqueFd socket);

  const Properties& properties() const override { return properties_; }
  std::size_t queue_count() const override { return queues_.size(); }
  BlockQueue& queue(std::size_t index) override { return *queues_.at(index); }
  Result<> use_memory(std::span<const DmaFile> memory) override;
  DiskStatistics statistics() const override;
  /// Of the daemon, when this object started one.
  std::optional<pid_t> pid() const;

 private:
  DaemonDisk(const DiskConfig& config, VhostUserFrontEnd front_end)
      : config_(config), front_end_(std::move(front_end)) {}
  Result<> set_up();
  Result<> read_properties();
  Result<> add_queues();
  std::string name() const { return fmt::format("disk '{}'", config_.target); }

  const DiskConfig config_;
  std::unique_ptr<DaemonProcess> process_;
  VhostUserFrontEnd front_end_;
  Properties properties_;
  std::uint16_t segments_ = 1;
  std::optional<MemoryFile> rings_;  ///< of every queue
  std::vector<VhostQueue> rings_of_queues_;
  bool queues_are_new_ = true;  ///< never told to the back end
  DiskCounters counters_;
  std::vector<std::unique_ptr<DiskQueue>> queues_;  // last: their threads use what stands above
};

}  // namespace virttdx
