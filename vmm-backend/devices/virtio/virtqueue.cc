// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio/virtqueue.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>

#include "devices/virtio/virtio_spec.h"
#include "support/byte_order.h"

namespace virttdx {

using namespace virtio_spec;

namespace {

constexpr std::size_t kEventSize = 2;

// SAFETY: map_rings() checked that the ring is aligned and as large as its size says, and `offset` is even
// and inside it. The guest writes these bytes at the same time: every access is one atomic load or store.
std::atomic_ref<std::uint16_t> word(std::span<std::byte> ring, std::size_t offset) {
  CHECK(offset + sizeof(std::uint16_t) <= ring.size());
  return std::atomic_ref(*reinterpret_cast<std::uint16_t*>(ring.data() + offset));
}

}  // namespace

Result<Virtqueue> Virtqueue::create(DmaMemory& memory, const VirtqueuePlace& place,
                                    std::function<void()> interrupt) {
  if (!std::has_single_bit(place.size) || place.size > kQueueSizeMaximum)
    return fail(Error::Code::InvalidArgument, "a virtqueue of {} entries: not a power of two up to {}",
                place.size, kQueueSizeMaximum);
  Virtqueue queue(memory, place, std::move(interrupt));
  TRY(queue.map_rings());
  return queue;
}

Result<> Virtqueue::map_rings() {
  const std::size_t size = place_.size;
  descriptors_ = TRY(map_part(place_.descriptors, size * kDescriptorSize, 16, "descriptor table"));
  available_ = TRY(map_part(place_.available, kRingEntries + size * kAvailableEntrySize + kEventSize, 2,
                            "available ring"));
  used_ = TRY(map_part(place_.used, kRingEntries + size * kUsedEntrySize + kEventSize, 4, "used ring"));
  return {};
}

Result<std::span<std::byte>> Virtqueue::map_part(Gpa gpa, std::size_t size, std::size_t alignment,
                                                 const char* name) {
  if (gpa.value % alignment != 0)
    return fail(Error::Code::InvalidData, "{} at {:#x} is not aligned to {} bytes", name, gpa.value,
                alignment);
  const auto bytes = memory_->map(gpa, size);
  if (bytes.empty())
    return fail(Error::Code::InvalidData, "{} {:#x}+{:#x} is not in shared memory", name, gpa.value, size);
  return bytes;
}

std::uint16_t Virtqueue::available_index() const {
  return word(available_, kRingIndex).load(std::memory_order_acquire);
}

std::uint16_t Virtqueue::used_event() const {
  return word(available_, kRingEntries + place_.size * kAvailableEntrySize).load(std::memory_order_relaxed);
}

Result<bool> Virtqueue::pop(DescriptorChain& chain) {
  const auto waiting = static_cast<std::uint16_t>(available_index() - next_available_);
  if (waiting == 0) return false;
  if (waiting > place_.size)
    return fail(Error::Code::InvalidData, "the available ring of {} entries has {} new ones", place_.size,
                waiting);
  const std::size_t slot = next_available_ % place_.size;
  const auto head =
      word(available_, kRingEntries + slot * kAvailableEntrySize).load(std::memory_order_relaxed);
  TRY(read_chain(head, chain));
  ++next_available_;
  return true;
}

Result<bool> Virtqueue::pop_or_ask(DescriptorChain& chain) {
  if (TRY(pop(chain))) return true;
  return enable_notification() ? pop(chain) : Result<bool>(false);
}

Result<> Virtqueue::read_chain(std::uint16_t head, DescriptorChain& chain) {
  chain.head = head;
  chain.readable.clear();
  chain.writable.clear();
  chain.readable_size = chain.writable_size = 0;
  if (head >= place_.size)
    return fail(Error::Code::InvalidData, "descriptor {} in a table of {}", head, place_.size);
  const Descriptor first = read_descriptor(descriptors_, head);
  if ((first.flags & kFlagIndirect) != 0 && place_.indirect) return follow_indirect(first, chain);
  return follow(descriptors_, head, chain);
}

Virtqueue::Descriptor Virtqueue::read_descriptor(std::span<const std::byte> table,
                                                 std::uint16_t index) const {
  std::array<std::byte, kDescriptorSize> bytes;
  std::memcpy(bytes.data(), table.data() + index * kDescriptorSize, kDescriptorSize);
  return {load_le<std::uint64_t>(bytes, 0), load_le<std::uint32_t>(bytes, kDescriptorLength),
          load_le<std::uint16_t>(bytes, kDescriptorFlags), load_le<std::uint16_t>(bytes, kDescriptorNext)};
}

// A chain cannot be longer than its table without a loop.
Result<> Virtqueue::follow(std::span<const std::byte> table, std::uint16_t first, DescriptorChain& chain) {
  const std::size_t entries = table.size() / kDescriptorSize;
  std::uint16_t index = first;
  for (std::size_t count = 0; count < std::min(entries, kChainMaximum); ++count) {
    if (index >= entries)
      return fail(Error::Code::InvalidData, "descriptor {} in a table of {}", index, entries);
    const Descriptor descriptor = read_descriptor(table, index);
    if ((descriptor.flags & kFlagIndirect) != 0)
      return fail(Error::Code::InvalidData, "descriptor {} is indirect where none may be", index);
    TRY(add_buffer(descriptor, chain));
    if ((descriptor.flags & kFlagNext) == 0) return {};
    index = descriptor.next;
  }
  return fail(Error::Code::InvalidData, "the chain from descriptor {} does not end", first);
}

Result<> Virtqueue::follow_indirect(const Descriptor& descriptor, DescriptorChain& chain) {
  const std::size_t entries = descriptor.length / kDescriptorSize;
  if (descriptor.length % kDescriptorSize != 0 || entries == 0 || entries > kChainMaximum ||
      (descriptor.flags & (kFlagNext | kFlagWrite)) != 0)
    return fail(Error::Code::InvalidData, "indirect descriptor of {} bytes with flags {:#x}",
                descriptor.length, descriptor.flags);
  indirect_table_.resize(descriptor.length);
  if (!memory_->read(Gpa{descriptor.address}, indirect_table_))
    return fail(Error::Code::InvalidData, "indirect table {:#x}+{:#x} is not in shared memory",
                descriptor.address, descriptor.length);
  return follow(indirect_table_, 0, chain);
}

Result<> Virtqueue::add_buffer(const Descriptor& descriptor, DescriptorChain& chain) {
  const bool is_writable = (descriptor.flags & kFlagWrite) != 0;
  if (!is_writable && !chain.writable.empty())
    return fail(Error::Code::InvalidData, "a buffer to read stands behind one to write");
  if (descriptor.length == 0) return {};
  const auto bytes = memory_->map(Gpa{descriptor.address}, descriptor.length);
  if (bytes.empty())
    return fail(Error::Code::InvalidData, "buffer {:#x}+{:#x} is not in shared memory", descriptor.address,
                descriptor.length);
  (is_writable ? chain.writable : chain.readable).push_back({bytes.data(), bytes.size()});
  (is_writable ? chain.writable_size : chain.readable_size) += bytes.size();
  return {};
}

void Virtqueue::push(std::uint16_t head, std::uint32_t written) {
  stage(head, written);
  publish();
}

void Virtqueue::stage(std::uint16_t head, std::uint32_t written) {
  const std::size_t offset = kRingEntries + (next_used_ % place_.size) * kUsedEntrySize;
  store_le<std::uint32_t>(used_, offset, head);
  store_le<std::uint32_t>(used_, offset + 4, written);
  ++next_used_;
}

void Virtqueue::publish() { word(used_, kRingIndex).store(next_used_, std::memory_order_release); }

void Virtqueue::signal() {
  if (next_used_ == signalled_used_) return;
  // 2.7.7.2: the index must be visible before the driver's wish is read, else both sides may wait.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const auto added = static_cast<std::uint16_t>(next_used_ - signalled_used_);
  const auto behind_event = static_cast<std::uint16_t>(next_used_ - used_event() - 1);
  const bool wanted =
      place_.event_index
          ? behind_event < added
          : (word(available_, kRingFlags).load(std::memory_order_relaxed) & kAvailableNoInterrupt) == 0;
  signalled_used_ = next_used_;
  if (wanted) interrupt_();
}

bool Virtqueue::enable_notification() {
  if (place_.event_index)
    word(used_, kRingEntries + place_.size * kUsedEntrySize).store(next_available_);
  else
    word(used_, kRingFlags).store(0);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return available_index() != next_available_;
}

void Virtqueue::disable_notification() {
  // With an event index the driver notifies only at the index that was asked for: it is behind by now.
  if (!place_.event_index) word(used_, kRingFlags).store(kUsedNoNotify, std::memory_order_relaxed);
}

}  // namespace virttdx
