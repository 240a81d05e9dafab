// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <vector>

#include "backends/disk_device.h"
#include "backends/disk_file.h"
#include "backends/disk_queue.h"

namespace virttdx {

/// A disk on a raw image file or block device. Any thread.
class FileDisk final : public DiskDevice {
 public:
  /// Opens the file and makes a thread for each queue, with io_uring unless `config` wants threads or the
  /// kernel has none.
  static Result<std::unique_ptr<FileDisk>> create(const DiskConfig& config);

  const Properties& properties() const override { return file_.properties; }
  std::size_t queue_count() const override { return queues_.size(); }
  BlockQueue& queue(std::size_t index) override { return *queues_.at(index); }
  DiskStatistics statistics() const override;

 private:
  FileDisk(const DiskConfig& config, DiskFile file)
      : id_(config.id), target_(config.target), file_(std::move(file)) {}
  Result<> add_queue(const DiskConfig& config);
  std::unique_ptr<DiskEngine> make_engine(DiskIo io);

  const std::string id_, target_;
  const DiskFile file_;
  DiskCounters counters_;
  std::vector<std::unique_ptr<DiskQueue>> queues_;
};

}  // namespace virttdx
