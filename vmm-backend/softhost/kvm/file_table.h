// SPDX-License-Identifier: GPL-2.0-or-later
// The host's open files: real descriptors of this process, each with the object behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>

#include "support/unique_fd.h"

namespace virttdx::softhost {

/// What a descriptor of the host stands for. Answers as a kernel does: a value of at least 0, or -errno.
/// Destroyed when its descriptor is closed and no call on it is under way.
class File {
 public:
  virtual ~File() = default;
  virtual int ioctl(unsigned long request, std::uintptr_t argument) = 0;
  /// How many bytes of the descriptor can be mapped shared; 0: none.
  virtual std::size_t mappable_size() const { return 0; }
  /// Makes every later ioctl on the VM behind the descriptor answer EIO, as KVM does after a bug of its own.
  virtual void kill_vm() {}
  virtual int punch_hole(std::uint64_t /*offset*/, std::uint64_t /*size*/);
  virtual int pread(std::span<std::byte> /*to*/, std::uint64_t /*offset*/);
};

/// Thread-safe.
class FileTable {
 public:
  /// Enters a file under its real descriptor and returns the descriptor's number.
  int insert(UniqueFd fd, std::shared_ptr<File> file);
  /// The file of a descriptor, or null.
  std::shared_ptr<File> find(int fd) const;
  /// Closes the descriptor: 0 or -EBADF.
  int close(int fd);

 private:
  struct Entry {
    UniqueFd fd;
    std::shared_ptr<File> file;
  };
  mutable std::mutex mutex_;
  std::unordered_map<int, Entry> entries_;  // guarded by mutex_
};

}  // namespace virttdx::softhost
