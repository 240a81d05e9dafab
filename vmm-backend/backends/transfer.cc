// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/transfer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace virttdx {
namespace {

// A multiple of every alignment that direct I/O asks for; the guest cannot make it grow.
constexpr std::size_t kBounceSize = 1 << 20;

}  // namespace

Transfer::Transfer(const DiskFile& file, const BlockOperation& operation)
    : operation_(operation), buffers_(operation.buffers.begin(), operation.buffers.end()) {
  if (needs_bounce(file)) make_bounce(file);
}

bool Transfer::needs_bounce(const DiskFile& file) const {
  if (!file.direct) return false;
  return !std::ranges::all_of(buffers_, [&](const iovec& buffer) {
    // SAFETY: only the number is looked at.
    return reinterpret_cast<std::uintptr_t>(buffer.iov_base) % file.alignment == 0 &&
           buffer.iov_len % file.alignment == 0;
  });
}

void Transfer::make_bounce(const DiskFile& file) {
  const std::size_t alignment = std::max<std::size_t>(file.alignment, sizeof(void*));
  bounce_.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, kBounceSize)));
  if (!bounce_) throw std::bad_alloc();
  begin_chunk();
}

void Transfer::begin_chunk() {
  chunk_begin_ = done_;
  chunk_end_ = std::min(operation_.size, chunk_begin_ + kBounceSize);
  if (operation_.kind == BlockOperation::Kind::Write)
    with_guest_bytes(
        [](std::byte* guest, std::byte* bounce, std::size_t size) { std::memcpy(bounce, guest, size); });
  buffers_ = {{bounce_.get(), chunk_end_ - chunk_begin_}};
  first_ = 0;
}

void Transfer::end_chunk() {
  if (operation_.kind == BlockOperation::Kind::Read)
    with_guest_bytes(
        [](std::byte* guest, std::byte* bounce, std::size_t size) { std::memcpy(guest, bounce, size); });
  if (!is_complete()) begin_chunk();
}

// Calls copy(guest, bounce, size) for each piece of the chunk.
template <typename Copy>
void Transfer::with_guest_bytes(Copy copy) const {
  std::uint64_t at = 0;  // in the operation
  for (const iovec& buffer : operation_.buffers) {
    const std::uint64_t begin = std::max(at, chunk_begin_);
    const std::uint64_t end = std::min(at + buffer.iov_len, chunk_end_);
    if (begin < end)
      copy(static_cast<std::byte*>(buffer.iov_base) + (begin - at), bounce_.get() + (begin - chunk_begin_),
           end - begin);
    at += buffer.iov_len;
  }
}

int Transfer::advance(std::int64_t answer) {
  if (answer < 0) return static_cast<int>(-answer);
  if (answer == 0 && operation_.kind == BlockOperation::Kind::Write) return ENOSPC;
  skip(answer == 0 ? zero_remaining() : static_cast<std::uint64_t>(answer));
  if (bounce_ && done_ == chunk_end_) end_chunk();
  return 0;
}

void Transfer::skip(std::uint64_t count) {
  done_ += count;
  while (count > 0) {
    iovec& buffer = buffers_[first_];
    const std::size_t part = std::min<std::uint64_t>(buffer.iov_len, count);
    buffer.iov_base = static_cast<std::byte*>(buffer.iov_base) + part;
    buffer.iov_len -= part;
    count -= part;
    if (buffer.iov_len == 0) ++first_;
  }
}

std::uint64_t Transfer::zero_remaining() {
  std::uint64_t size = 0;
  for (const iovec& buffer : remaining()) {
    std::memset(buffer.iov_base, 0, buffer.iov_len);
    size += buffer.iov_len;
  }
  return size;
}

}  // namespace virttdx
