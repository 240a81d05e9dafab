// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/cdrom_file.h"

#include <chrono>

#include "backends/disk_engine.h"
#include "vmm_backend/storage_daemon.h"

namespace virttdx {

Result<std::unique_ptr<CdromFile>> CdromFile::create(const DiskConfig& config) {
  if (needs_storage_daemon(config))
    return fail(
        Error::Code::ConfigUnsupported,
        "disk '{}': a CD-ROM drive takes raw images in files and block devices, without <iotune>; use "
        "one, or a disk on bus virtio",
        config.target);
  DiskConfig readable = config;
  readable.read_only = true;
  // What is never written is in the cache safely, and ISO images are no multiples of large blocks.
  readable.cache = DiskCache::Writeback;
  readable.logical_block_size = 512;
  readable.physical_block_size = 0;
  DiskFile file = TRY(open_disk_file(readable));
  return std::unique_ptr<CdromFile>(new CdromFile(config, std::move(file)));
}

int CdromFile::read(std::uint64_t offset, std::span<const iovec> buffers) {
  BlockOperation operation{.kind = BlockOperation::Kind::Read, .offset = offset, .buffers = buffers};
  for (const iovec& buffer : buffers) operation.size += buffer.iov_len;
  const auto begun = std::chrono::steady_clock::now();
  const int error = run_operation(file_, operation);
  const auto took = std::chrono::nanoseconds(std::chrono::steady_clock::now() - begun).count();
  counters_.count(operation.kind, operation.size, static_cast<std::uint64_t>(took), error);
  return error;
}

DiskStatistics CdromFile::statistics() const {
  DiskStatistics statistics = counters_.snapshot();
  statistics.id = id_;
  statistics.target = target_;
  statistics.capacity = statistics.physical = statistics.allocated = file_.properties.capacity;
  return statistics;
}

}  // namespace virttdx
