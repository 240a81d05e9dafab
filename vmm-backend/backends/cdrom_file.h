// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "backends/disk_file.h"
#include "backends/disk_queue.h"
#include "devices/scsi/scsi_medium.h"
#include "vmm_backend/device_config.h"
#include "vmm_backend/device_statistics.h"

namespace virttdx {

/// An image file or block device in a CD-ROM drive, read through the host's page cache.
class CdromFile final : public ScsiMedium {
 public:
  /// Errors name the disk: those of open_disk_file(), and an image of another format than raw.
  static Result<std::unique_ptr<CdromFile>> create(const DiskConfig& config);

  std::uint64_t size() const override { return file_.properties.capacity; }
  int read(std::uint64_t offset, std::span<const iovec> buffers) override;
  DiskStatistics statistics() const;

 private:
  CdromFile(const DiskConfig& config, DiskFile file)
      : id_(config.id), target_(config.target), file_(std::move(file)) {}

  const std::string id_, target_;
  const DiskFile file_;
  DiskCounters counters_;
};

}  // namespace virttdx
