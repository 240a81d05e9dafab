// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "bus/dma.h"
#include "support/result.h"

namespace virttdx {

/// Where the driver put a queue, and what it negotiated. Sizes are entries.
struct VirtqueuePlace {
  std::uint16_t size = 0;
  Gpa descriptors, available, used;
  bool event_index = false;
  bool indirect = false;
};

/// A request of the driver: its buffers in shared memory, whose bytes the guest may change at any time.
struct DescriptorChain {
  std::uint16_t head = 0;
  std::vector<iovec> readable;  ///< for the device to read, in order; none is empty
  std::vector<iovec> writable;
  std::uint64_t readable_size = 0;
  std::uint64_t writable_size = 0;
};

/// Buffers in a chain at most: what preadv(2) takes, and more than drivers use.
inline constexpr std::size_t kChainMaximum = 1024;

/// The device's side of a split virtqueue. One thread at a time. Everything in the rings is the guest's: an
/// error means that the queue is broken and stays so until the driver sets it up again.
class Virtqueue {
 public:
  /// `memory` outlives it. `interrupt` tells the driver of used buffers. Errors: a size that is no power of
  /// two up to 32768, a part that is not aligned (2.7) or not wholly in shared memory.
  static Result<Virtqueue> create(DmaMemory& memory, const VirtqueuePlace& place,
                                  std::function<void()> interrupt);

  /// The next chain that the driver made available, into `chain`; false: there is none.
  Result<bool> pop(DescriptorChain& chain);
  /// pop(), and when there is none a notification is asked for: it comes with the next one.
  Result<bool> pop_or_ask(DescriptorChain& chain);
  /// Puts the chain last popped back: the next pop() gives it again.
  void unpop() { --next_available_; }
  /// Gives a chain back with `written` bytes in its writable buffers. Chains may come in any order.
  void push(std::uint16_t head, std::uint32_t written);
  /// push() in two steps, for chains that must come back together: the driver sees those that were staged
  /// when they are published.
  void stage(std::uint16_t head, std::uint32_t written);
  void publish();
  /// Sends the interrupt that the chains pushed since the last call ask for, if any.
  void signal();
  /// Asks for a notification with the next chain. True: one is there already, and none will come for it.
  bool enable_notification();
  void disable_notification();
  std::uint16_t size() const { return place_.size; }

  // For somebody else who works on the queue instead of all of the above.
  struct Rings {
    std::uint16_t size;
    std::span<const std::byte> descriptors, available, used;
  };
  Rings rings() const { return {place_.size, descriptors_, available_, used_}; }
  /// Tells the driver of used buffers.
  void interrupt() const { interrupt_(); }

 private:
  struct Descriptor {
    std::uint64_t address;
    std::uint32_t length;
    std::uint16_t flags;
    std::uint16_t next;
  };

  Virtqueue(DmaMemory& memory, const VirtqueuePlace& place, std::function<void()> interrupt)
      : memory_(&memory), place_(place), interrupt_(std::move(interrupt)) {}
  Result<> map_rings();
  Result<std::span<std::byte>> map_part(Gpa gpa, std::size_t size, std::size_t alignment, const char* name);
  std::uint16_t available_index() const;
  std::uint16_t used_event() const;
  Descriptor read_descriptor(std::span<const std::byte> table, std::uint16_t index) const;
  Result<> read_chain(std::uint16_t head, DescriptorChain& chain);
  Result<> follow(std::span<const std::byte> table, std::uint16_t first, DescriptorChain& chain);
  Result<> follow_indirect(const Descriptor& descriptor, DescriptorChain& chain);
  Result<> add_buffer(const Descriptor& descriptor, DescriptorChain& chain);

  DmaMemory* memory_;
  VirtqueuePlace place_;
  std::function<void()> interrupt_;
  // Mapped when the driver enabled the queue (see DmaMemory::map for what becomes of private pages).
  std::span<std::byte> descriptors_, available_, used_;
  std::vector<std::byte> indirect_table_;  ///< a copy: read once
  std::uint16_t next_available_ = 0;
  std::uint16_t next_used_ = 0;
  std::uint16_t signalled_used_ = 0;  ///< next_used_ at the last signal()
};

}  // namespace virttdx
