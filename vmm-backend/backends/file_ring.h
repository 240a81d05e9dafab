// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <liburing.h>

#include <memory>
#include <vector>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx {

/// An io_uring for one file, its only registered one (kFile). It takes nothing but reads, writes, flushes and
/// fallocate on it: what a monitor that was taken over could do with it is what the guest may do anyway.
class FileRing {
 public:
  static constexpr int kFile = 0;  ///< index among the registered files
  /// For `fd` and so many operations in flight, until its end. Error: the kernel has none, or does not let
  /// us.
  static Result<std::unique_ptr<FileRing>> create(int fd, unsigned operations);
  /// Without a file yet, and for as many operations as any queue has (1024).
  static Result<std::unique_ptr<FileRing>> create_spare();
  ~FileRing();
  FileRing(const FileRing&) = delete;
  FileRing& operator=(const FileRing&) = delete;

  /// Of a spare ring, with nothing in flight; -1: none.
  Result<> use_file(int fd);
  io_uring& ring() { return ring_; }
  /// Readable when an operation has ended.
  int event() const { return event_.get(); }

 private:
  FileRing() = default;
  Result<> set_up(int fd, io_uring_params parameters, unsigned entries, bool is_spare);
  Result<> restrict(bool is_spare);

  io_uring ring_{};
  bool is_set_up_ = false;
  UniqueFd event_;
};

/// Rings that were made while the monitor could make some, for disks that come after it was confined. One
/// thread at a time.
class SpareRings {
 public:
  /// As many as the kernel gives, up to `count`.
  explicit SpareRings(std::size_t count);
  /// Nothing when all are in use.
  std::unique_ptr<FileRing> take();
  /// A ring with nothing in flight, whose disk has gone.
  void give_back(std::unique_ptr<FileRing> ring);
  std::size_t count() const { return rings_.size(); }

 private:
  std::vector<std::unique_ptr<FileRing>> rings_;
};

}  // namespace virttdx
