// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/file_disk.h"

#include <sys/stat.h>

#include "support/log.h"

namespace virttdx {

Result<std::unique_ptr<FileDisk>> FileDisk::create(const DiskConfig& config) {
  std::unique_ptr<FileDisk> disk(new FileDisk(config, TRY(open_disk_file(config))));
  for (std::uint16_t i = 0; i < config.queues; ++i) TRY(disk->add_queue(config));
  return disk;
}

Result<> FileDisk::add_queue(const DiskConfig& config) {
  const std::string name = fmt::format("{}-{}", config.target, queues_.size());
  queues_.push_back(
      TRY(DiskQueue::create(file_.properties.queue_size, make_engine(config.io), counters_, name)));
  return {};
}

std::unique_ptr<DiskEngine> FileDisk::make_engine(DiskIo io) {
  if (io == DiskIo::Threads) return create_waiting_engine(file_);
  auto engine = create_uring_engine(file_);
  if (engine) return std::move(*engine);
  if (queues_.empty())
    log::warning("disk '{}': one request at a time, because io_uring is not to be had: {}", target_,
                 engine.error().message());
  return create_waiting_engine(file_);
}

DiskStatistics FileDisk::statistics() const {
  DiskStatistics statistics = counters_.snapshot();
  statistics.id = id_;
  statistics.target = target_;
  statistics.capacity = statistics.physical = statistics.allocated = file_.properties.capacity;
  struct stat status {};
  if (::fstat(file_.fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return statistics;
  constexpr std::uint64_t kBlock = 512;  // stat(2): st_blocks
  statistics.physical = static_cast<std::uint64_t>(status.st_size);
  statistics.allocated = static_cast<std::uint64_t>(status.st_blocks) * kBlock;
  return statistics;
}

}  // namespace virttdx
