// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/cdrom_medium.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>

namespace virttdx {
namespace {

constexpr std::size_t kPiece = 256 << 10;
constexpr std::uint32_t kSector = 512;

std::uint64_t total_size(std::span<const iovec> buffers) {
  std::uint64_t size = 0;
  for (const iovec& buffer : buffers) size += buffer.iov_len;
  return size;
}

}  // namespace

DiskConfig disk_of_cdrom(const DiskConfig& config) {
  DiskConfig disk = config;
  disk.read_only = true;
  disk.discard = false;
  disk.detect_zeroes = DetectZeroes::Off;
  // What is never written is in the cache safely, and ISO images are no multiples of large blocks.
  disk.cache = DiskCache::Writeback;
  disk.io = DiskIo::Threads;
  disk.logical_block_size = kSector;
  disk.physical_block_size = 0;
  disk.queues = 1;
  disk.on_read_error = DiskErrorPolicy::Report;
  disk.limits = {};
  return disk;
}

Result<std::unique_ptr<CdromMedium>> CdromMedium::create(std::unique_ptr<QueuedDisk> disk,
                                                         std::chrono::milliseconds patience) {
  auto memory = TRY(MemoryFile::create("cdrom", kPiece));
  const DmaFile file{memory.bytes(), memory.fd(), 0};
  TRY(disk->use_memory({&file, 1}));
  std::unique_ptr<CdromMedium> medium(new CdromMedium(std::move(memory), std::move(disk), patience));
  medium->disk_->queue(0).set_client(medium.get());
  return medium;
}

int CdromMedium::read(std::uint64_t offset, std::span<const iovec> buffers) {
  const auto until = Clock::now() + patience_;
  std::uint64_t left = total_size(buffers);
  std::span<const std::byte> piece;
  for (const iovec& buffer : buffers) {
    std::span into(static_cast<std::byte*>(buffer.iov_base), buffer.iov_len);
    while (!into.empty()) {
      if (piece.empty()) {
        const auto size = std::min<std::uint64_t>(left, kPiece);
        if (const int error = fetch(offset, size, until); error != 0) return error;
        piece = memory_.bytes().first(size);
        offset += size;
        left -= size;
      }
      const std::size_t size = std::min(into.size(), piece.size());
      std::copy_n(piece.begin(), size, into.begin());
      into = into.subspan(size);
      piece = piece.subspan(size);
    }
  }
  return 0;
}

int CdromMedium::fetch(std::uint64_t offset, std::uint64_t size, Clock::time_point until) {
  std::unique_lock lock(mutex_);
  if (state_ != State::Idle) return ETIMEDOUT;
  buffer_ = {memory_.bytes().data(), (size + kSector - 1) / kSector * kSector};
  operation_ = {.kind = BlockOperation::Kind::Read,
                .offset = offset,
                .size = buffer_.iov_len,
                .buffers = {&buffer_, 1}};
  state_ = State::Wanted;
  ::eventfd_write(disk_->queue(0).doorbell(), 1);
  if (!changed_.wait_until(lock, until, [this] { return state_ == State::Idle; })) return ETIMEDOUT;
  return error_;
}

void CdromMedium::on_doorbell() {
  const std::lock_guard lock(mutex_);
  if (state_ != State::Wanted) return;
  state_ = State::Running;
  disk_->queue(0).submit(operation_);
}

void CdromMedium::on_done(std::span<const BlockCompletion> completions) {
  const std::lock_guard lock(mutex_);
  state_ = State::Idle;
  error_ = completions.back().error;
  changed_.notify_all();
}

}  // namespace virttdx
