// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/file_disk.h"

#include <unistd.h>

#include <cerrno>

#include "support/log.h"

namespace virttdx {

FileDisk::FileDisk(const DiskConfig& config, DiskSurroundings surroundings, DiskFile file)
    : QueuedDisk(config, std::move(surroundings)), file_(std::move(file)) {
  set_capacity(file_.properties.capacity);
}

Result<std::unique_ptr<FileDisk>> FileDisk::create(const DiskConfig& config, DiskSurroundings surroundings) {
  // Before "new": a TRY that leaves in the middle of an expression destroys nothing of it.
  DiskFile file = TRY(open_disk_file(config));
  SpareRings* const rings = surroundings.rings;
  std::unique_ptr<FileDisk> disk(new FileDisk(config, std::move(surroundings), std::move(file)));
  TRY(disk->add_queues(config, rings));
  return disk;
}

Result<> FileDisk::add_queues(const DiskConfig& config, SpareRings* rings) {
  for (std::uint16_t i = 0; i < config.queues; ++i)
    TRY(add_queue(file_.properties.queue_size, make_engine(config, rings)));
  return {};
}

std::unique_ptr<DiskEngine> FileDisk::make_engine(const DiskConfig& config, SpareRings* rings) const {
  if (config.io == DiskIo::Threads) return create_waiting_engine(file_);
  auto engine = rings != nullptr ? create_uring_engine(file_, *rings) : create_uring_engine(file_);
  if (engine) return std::move(*engine);
  if (queue_count() == 0 || rings != nullptr)
    log::warning("disk '{}': queue {} takes one request at a time, because io_uring is not to be had: {}",
                 config.target, queue_count(), engine.error().message());
  return create_waiting_engine(file_);
}

std::optional<struct stat> FileDisk::image_status() const {
  struct stat status {};
  return ::fstat(file_.fd.get(), &status) == 0 ? std::optional(status) : std::nullopt;
}

// A device has the size that its owner gives it; when that is another one now, the guest is told.
Result<std::uint64_t> FileDisk::resize_image(std::uint64_t bytes) {
  const auto status = image_status();
  if (status && S_ISREG(status->st_mode)) {
    if (::ftruncate(file_.fd.get(), static_cast<off_t>(bytes)) != 0)
      return fail_errno(errno, "cannot make the image {} bytes long", bytes);
    return bytes;
  }
  const off_t size = ::lseek(file_.fd.get(), 0, SEEK_END);
  if (size < 0) return fail_errno(errno, "cannot read the size of the device");
  if (static_cast<std::uint64_t>(size) != bytes)
    return fail(Error::Code::InvalidArgument,
                "a block device is resized by its owner: it has {} bytes, not {}", size, bytes);
  return bytes;
}

}  // namespace virttdx
