// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backends/disk_file.h"
#include "devices/virtio_blk/block_backend.h"
#include "support/result.h"

namespace virttdx {

class SpareRings;

/// Carries out operations on one disk file, for one queue. One thread at a time.
class DiskEngine {
 public:
  virtual ~DiskEngine() = default;
  /// Readable when there is something to reap; -1 for an engine that has everything done after flush().
  virtual int event() const = 0;
  virtual void submit(const BlockOperation& operation) = 0;
  /// Passes on what was submitted.
  virtual void flush() = 0;
  /// Appends what is done. `wait`: at least one, when any is in flight.
  virtual void reap(std::vector<BlockCompletion>& done, bool wait) = 0;
  virtual std::size_t in_flight() const = 0;
};

/// By io_uring. Error: the kernel has none, or does not let us use it.
Result<std::unique_ptr<DiskEngine>> create_uring_engine(const DiskFile& file);
/// By a ring that was made before the monitor was confined; it outlives the engine, which takes one of them
/// and gives it back. Error: all are in use.
Result<std::unique_ptr<DiskEngine>> create_uring_engine(const DiskFile& file, SpareRings& rings);
/// By system calls that wait, one operation after the other.
std::unique_ptr<DiskEngine> create_waiting_engine(const DiskFile& file);

/// Carries out one operation with system calls that wait: 0 or an errno value.
int run_operation(const DiskFile& file, const BlockOperation& operation);

/// fallocate(2)'s mode of a Discard or WriteZeroes.
int fallocate_mode(const BlockOperation& operation);

}  // namespace virttdx
