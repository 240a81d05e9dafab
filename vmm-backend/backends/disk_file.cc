// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/disk_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace virttdx {
namespace {

constexpr std::uint32_t kSector = 512;

// QEMU's image locks (qemu/block/file-posix.c of 2.10 and later): shared locks of one byte, at 100 + n for
// each permission n that a user has, at 200 + n for each that it grants nobody else.
constexpr off_t kPermissionBase = 100;
constexpr off_t kUnsharedBase = 200;
constexpr unsigned kConsistentRead = 0, kWrite = 1, kResize = 3;

Result<> in_use(const DiskConfig& config) {
  return fail(Error::Code::Busy,
              "disk '{}': '{}' is in use by another program; end it, or make the disk shareable or read-only",
              config.target, config.source->path);
}

struct flock lock_of(short type, off_t byte) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

// EINVAL and ENOLCK: a file system without such locks, which nobody else could use either.
Result<> take_lock(int fd, const DiskConfig& config, off_t byte) {
  struct flock lock = lock_of(F_RDLCK, byte);
  if (::fcntl(fd, F_OFD_SETLK, &lock) == 0 || errno == EINVAL || errno == ENOLCK) return {};
  return in_use(config);
}

Result<> check_free(int fd, const DiskConfig& config, off_t byte) {
  struct flock lock = lock_of(F_WRLCK, byte);
  if (::fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return {};
  return in_use(config);
}

Result<> lock_image(int fd, const DiskConfig& config) {
  const bool exclusive = !config.read_only && !config.shareable;
  TRY(take_lock(fd, config, kPermissionBase + kConsistentRead));
  if (!config.read_only) TRY(take_lock(fd, config, kPermissionBase + kWrite));
  if (!config.shareable)
    for (const unsigned permission : {kWrite, kResize})
      TRY(take_lock(fd, config, kUnsharedBase + permission));
  TRY(check_free(fd, config, kUnsharedBase + kConsistentRead));
  if (!config.read_only) TRY(check_free(fd, config, kUnsharedBase + kWrite));
  if (exclusive || !config.shareable) TRY(check_free(fd, config, kPermissionBase + kResize));
  return {};
}

// A lock of one's own is no obstacle: F_OFD_GETLK reports those of others only.
Result<> check_other_writers(int fd, const DiskConfig& config) {
  return config.shareable ? Result<>() : check_free(fd, config, kPermissionBase + kWrite);
}

Result<UniqueFd> open_image(const DiskConfig& config, bool direct) {
  const auto& path = config.source->path;
  const int flags = (config.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK | (direct ? O_DIRECT : 0);
  UniqueFd fd(::open(path.c_str(), flags));
  if (fd) return fd;
  if (errno == EINVAL && direct)
    return fail_errno(errno,
                      "disk '{}': the file system of '{}' has no O_DIRECT; use cache mode writeback or "
                      "writethrough",
                      config.target, path);
  return fail_errno(errno, "disk '{}': cannot open '{}'", config.target, path);
}

Result<std::uint64_t> size_of(int fd, const DiskConfig& config) {
  struct stat status {};
  if (::fstat(fd, &status) != 0)
    return fail_errno(errno, "disk '{}': cannot examine '{}'", config.target, config.source->path);
  if (S_ISREG(status.st_mode)) return static_cast<std::uint64_t>(status.st_size);
  if (!S_ISBLK(status.st_mode))
    return fail(Error::Code::InvalidArgument, "disk '{}': '{}' is neither a file nor a block device",
                config.target, config.source->path);
  std::uint64_t size = 0;
  if (::ioctl(fd, BLKGETSIZE64, &size) != 0)
    return fail_errno(errno, "disk '{}': cannot ask the size of '{}'", config.target, config.source->path);
  return size;
}

// What O_DIRECT wants of memory, offsets and sizes. File systems that do not tell take a sector.
std::uint32_t direct_alignment(int fd) {
  struct statx status {};
#ifdef STATX_DIOALIGN
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) == 0 &&
      (status.stx_mask & STATX_DIOALIGN) != 0 && status.stx_dio_offset_align != 0)
    return std::max(status.stx_dio_offset_align, status.stx_dio_mem_align);
#endif
  int sector = 0;
  if (::ioctl(fd, BLKSSZGET, &sector) == 0 && sector > 0) return static_cast<std::uint32_t>(sector);
  return kSector;
}

Result<> check_geometry(const DiskFile& disk, const DiskConfig& config) {
  const std::uint32_t block = config.logical_block_size;
  if (disk.properties.capacity == 0)
    return fail(Error::Code::InvalidArgument, "disk '{}': '{}' is empty", config.target, config.source->path);
  if (disk.properties.capacity % block != 0)
    return fail(Error::Code::InvalidArgument, "disk '{}': {} bytes are not a multiple of its block size {}",
                config.target, disk.properties.capacity, block);
  if (disk.direct && block % disk.alignment != 0)
    return fail(
        Error::Code::ConfigUnsupported,
        "disk '{}': '{}' takes direct I/O in units of {} bytes, the disk has blocks of {}; use cache mode "
        "writeback, or a logical block size of {}",
        config.target, config.source->path, disk.alignment, block, disk.alignment);
  return {};
}

BlockBackend::Properties properties_of(const DiskConfig& config, std::uint64_t size) {
  const bool through = config.cache == DiskCache::Writethrough || config.cache == DiskCache::Directsync;
  return {.capacity = (size + kSector - 1) / kSector * kSector,
          .read_only = config.read_only,
          .discard = config.discard,
          .writeback = !through,
          .logical_block_size = config.logical_block_size,
          .physical_block_size = std::max(config.physical_block_size, config.logical_block_size),
          .event_index = config.event_index,
          .queue_size = config.queue_size,
          .serial = config.serial};
}

}  // namespace

Result<DiskFile> open_disk_file(const DiskConfig& config) {
  CHECK(config.source.has_value());
  DiskFile disk;
  disk.direct = config.cache == DiskCache::None || config.cache == DiskCache::Directsync;
  disk.ignores_flush = config.cache == DiskCache::Unsafe;
  disk.fd = TRY(open_image(config, disk.direct));
  disk.lock = TRY(open_image(config, false));
  TRY(check_other_writers(disk.lock.get(), config));
  TRY(lock_image(disk.lock.get(), config));
  disk.properties = properties_of(config, TRY(size_of(disk.fd.get(), config)));
  if (disk.direct) disk.alignment = direct_alignment(disk.fd.get());
  TRY(check_geometry(disk, config));
  return disk;
}

}  // namespace virttdx
