// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "backends/disk_file.h"
#include "devices/virtio_blk/block_backend.h"

namespace virttdx {

/// A read or write under way: what is left of it after the kernel moved a part, and an aligned copy of the
/// buffers when direct I/O needs one. One thread at a time.
class Transfer {
 public:
  Transfer(const DiskFile& file, const BlockOperation& operation);

  std::span<const iovec> remaining() const { return std::span(buffers_).subspan(first_); }
  std::uint64_t offset() const { return operation_.offset + done_; }
  bool is_complete() const { return done_ == operation_.size; }
  const BlockOperation& operation() const { return operation_; }
  /// Takes the kernel's answer: bytes moved, or -errno. A read that meets the end of the file finds zeros.
  /// Returns 0 or an errno value; a write that moves nothing is ENOSPC.
  int advance(std::int64_t answer);

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  bool needs_bounce(const DiskFile& file) const;
  void make_bounce(const DiskFile& file);
  void begin_chunk();
  void end_chunk();
  template <typename Copy>
  void with_guest_bytes(Copy copy) const;
  void skip(std::uint64_t count);
  std::uint64_t zero_remaining();

  BlockOperation operation_;
  std::vector<iovec> buffers_;
  std::size_t first_ = 0;
  std::uint64_t done_ = 0;
  std::unique_ptr<std::byte, Free> bounce_;  ///< holds [chunk_begin_, chunk_end_) of the operation
  std::uint64_t chunk_begin_ = 0;
  std::uint64_t chunk_end_ = 0;
};

}  // namespace virttdx
