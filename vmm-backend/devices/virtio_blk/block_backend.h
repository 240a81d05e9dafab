// SPDX-License-Identifier: GPL-2.0-or-later
// Where a disk's bytes are.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "bus/dma.h"
#include "support/result.h"

namespace virttdx {

/// One operation on a disk. Offsets and sizes are bytes, inside the disk.
struct BlockOperation {
  enum class Kind : std::uint8_t { Read, Write, Flush, Discard, WriteZeroes };
  Kind kind = Kind::Read;
  /// Write, WriteZeroes: is on stable storage when it is done.
  bool durable = false;
  /// WriteZeroes: the range may become unallocated.
  bool may_unmap = false;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  /// Read, Write: `size` bytes in total, at most 1024 buffers; guest memory, unchanged places until it is
  /// done.
  std::span<const iovec> buffers{};
  std::uint32_t token = 0;  ///< the client's, below BlockQueue's depth; unique among those in flight
};

struct BlockCompletion {
  std::uint32_t token = 0;
  int error = 0;  ///< 0 or an errno value
};

/// A user of a BlockQueue. Called on the queue's thread.
class BlockClient {
 public:
  virtual ~BlockClient() = default;
  /// The doorbell rang.
  virtual void on_doorbell() = 0;
  virtual void on_done(std::span<const BlockCompletion> completions) = 0;
};

/// One of a disk's queues, with a thread of its own.
class BlockQueue {
 public:
  virtual ~BlockQueue() = default;
  /// An eventfd. Any thread, always the same.
  virtual int doorbell() const = 0;
  /// Waits for what is in flight, whose results reach nobody, then serves `client`, beginning with
  /// on_doorbell(). nullptr: none. When it returns, the previous client is not called any more and its
  /// buffers are not used. Any thread but the queue's.
  virtual void set_client(BlockClient* client) = 0;
  /// Begins an operation. Only from the client's functions. Its completion comes after they have returned.
  virtual void submit(const BlockOperation& operation) = 0;
};

/// A disk. Any thread. Outlives the devices that use it: one after the other when a reset makes a new TD.
class BlockBackend {
 public:
  struct Properties {
    std::uint64_t capacity = 0;  ///< bytes, when it was opened
    bool read_only = false;
    bool discard = false;  ///< Discard is passed on
    bool write_zeroes = true;
    bool writeback = false;  ///< at first, writes need a flush to be on stable storage
    std::uint32_t logical_block_size = 512;
    std::uint32_t physical_block_size = 512;
    bool event_index = true;         ///< VIRTIO_F_EVENT_IDX is offered
    std::uint16_t queue_size = 256;  ///< operations in flight on each queue at most
    std::uint32_t segments = 1022;   ///< buffers of a Read or Write that a driver is told
    /// What a Discard or WriteZeroes covers at most, as a driver is told. 1 GiB keeps a single one short.
    std::uint64_t range_maximum = 1ULL << 30;
    std::string serial{};  ///< 20 bytes of it are shown
  };
  virtual ~BlockBackend() = default;
  virtual const Properties& properties() const = 0;
  /// Bytes now. Whoever changes it has the device tell its driver.
  virtual std::uint64_t capacity() const { return properties().capacity; }
  virtual std::size_t queue_count() const = 0;
  virtual BlockQueue& queue(std::size_t index) = 0;
  /// The guest memory that buffers lie in from now on; the memory before it is not used any more. While no
  /// queue has a client. Back ends in this process need not know.
  virtual Result<> use_memory(std::span<const DmaFile> /*memory*/) { return {}; }
  /// Begins the operations again that are held because of an error.
  virtual void retry() {}
};

}  // namespace virttdx
