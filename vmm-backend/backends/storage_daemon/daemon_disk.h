// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/queued_disk.h"
#include "backends/storage_daemon/qmp_connection.h"
#include "backends/storage_daemon/started_daemon.h"
#include "backends/vhost_user/front_end.h"
#include "support/memory_file.h"
#include "vmm_backend/device_config.h"

namespace virttdx {

/// A disk that a vhost-user-blk back end serves: a qemu-storage-daemon of its own. When it ends, requests end
/// with errors; the TD and its other devices run on. Any thread.
class DaemonDisk final : public QueuedDisk {
 public:
  /// Starts the daemon and waits until it has opened the image. Errors name the disk; the daemon's own words
  /// are in the log.
  static Result<std::unique_ptr<DaemonDisk>> create(const DiskConfig& config,
                                                    DiskSurroundings surroundings = {});
  /// On a back end that somebody else keeps, whoever it is.
  static Result<std::unique_ptr<DaemonDisk>> create_on(const DiskConfig& config,
                                                       DaemonConnections connections,
                                                       DiskSurroundings surroundings = {});
  ~DaemonDisk() override { end_queues(); }

  const Properties& properties() const override { return properties_; }
  Result<> use_memory(std::span<const DmaFile> memory) override;
  /// Of the daemon, when this object started one.
  std::optional<pid_t> pid() const;

 private:
  DaemonDisk(const DiskConfig& config, VhostUserFrontEnd front_end, DiskSurroundings surroundings)
      : QueuedDisk(config, std::move(surroundings)), config_(config), front_end_(std::move(front_end)) {}
  Result<> set_up();
  Result<> read_properties();
  Result<> add_queues();
  std::optional<struct stat> image_status() const override;
  Result<std::uint64_t> resize_image(std::uint64_t bytes) override;
  std::string name() const { return fmt::format("disk '{}'", config_.target); }

  const DiskConfig config_;
  std::unique_ptr<DaemonProcess> process_;
  QmpConnection monitor_{UniqueFd()};
  UniqueFd life_;
  VhostUserFrontEnd front_end_;
  Properties properties_;
  std::uint16_t segments_ = 1;
  std::optional<MemoryFile> rings_;  ///< of every queue
  std::vector<VhostQueue> rings_of_queues_;
  bool queues_are_new_ = true;  ///< never told to the back end
};

}  // namespace virttdx
