// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>

#include "backends/disk_file.h"
#include "backends/queued_disk.h"

namespace virttdx {

/// A disk on a raw image file or block device. Any thread.
class FileDisk final : public QueuedDisk {
 public:
  /// Opens the file and makes a thread for each queue, with io_uring unless `config` wants threads or the
  /// kernel has none.
  static Result<std::unique_ptr<FileDisk>> create(const DiskConfig& config,
                                                  DiskSurroundings surroundings = {});
  ~FileDisk() override { end_queues(); }

  const Properties& properties() const override { return file_.properties; }

 private:
  FileDisk(const DiskConfig& config, DiskSurroundings surroundings, DiskFile file);
  Result<> add_queues(const DiskConfig& config, SpareRings* rings);
  std::unique_ptr<DiskEngine> make_engine(const DiskConfig& config, SpareRings* rings) const;
  std::optional<struct stat> image_status() const override;
  Result<std::uint64_t> resize_image(std::uint64_t bytes) override;

  const DiskFile file_;
};

}  // namespace virttdx
