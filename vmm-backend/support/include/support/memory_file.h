// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx {

/// Owns zeroed pages in a memory file (memfd_create(2)), mapped here and ready to be mapped by another
/// process, which cannot change the file's size. Pages are allocated as they are touched. Move-only.
class MemoryFile {
 public:
  /// `name` shows in /proc. `size`: bytes, a multiple of 4096 above 0.
  static Result<MemoryFile> create(const char* name, std::size_t size);
  /// In huge pages of `page_size` bytes (hugetlbfs), a size that the host has; `size` is a multiple of it.
  /// All of them are reserved now: the error tells how many are needed and how many are free. discard() of
  /// less than a page makes zeros, but frees nothing.
  static Result<MemoryFile> create_huge(const char* name, std::size_t size, std::size_t page_size);
  MemoryFile(MemoryFile&& other) noexcept
      : fd_(std::move(other.fd_)), bytes_(std::exchange(other.bytes_, {})) {}
  MemoryFile& operator=(MemoryFile&&) = delete;
  ~MemoryFile();

  int fd() const { return fd_.get(); }
  std::span<std::byte> bytes() const { return bytes_; }
  /// Gives pages back: they read as zeros again, in every process. Page aligned, inside the file.
  Result<> discard(std::size_t offset, std::size_t size);

 private:
  static Result<MemoryFile> map(const char* name, UniqueFd fd, std::size_t size, int map_flags);
  MemoryFile(UniqueFd fd, std::span<std::byte> bytes) : fd_(std::move(fd)), bytes_(bytes) {}
  UniqueFd fd_;
  std::span<std::byte> bytes_;
};

}  // namespace virttdx
