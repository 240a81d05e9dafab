// SPDX-License-Identifier: GPL-2.0-or-later
// The memory: descriptor table, available ring, used ring, then for each token an indirect table and the
// client's bytes.
#include "backends/vhost_user/driver_queue.h"

#include <atomic>
#include <bit>

#include "devices/virtio/virtio_spec.h"
#include "support/byte_order.h"

namespace virttdx {

using namespace virtio_spec;

namespace {

constexpr std::size_t kEventSize = 2;
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kPage = 4096;

constexpr std::size_t round_up(std::size_t value, std::size_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

constexpr std::size_t available_size(std::uint16_t entries) {
  return kRingEntries + entries * kAvailableEntrySize + kEventSize;
}
constexpr std::size_t used_size(std::uint16_t entries) {
  return kRingEntries + entries * kUsedEntrySize + kEventSize;
}
constexpr std::size_t available_offset(std::uint16_t entries) { return entries * kDescriptorSize; }
constexpr std::size_t used_offset(std::uint16_t entries) {
  return round_up(available_offset(entries) + available_size(entries), kAlignment);
}
constexpr std::size_t tokens_offset(std::uint16_t entries) {
  return round_up(used_offset(entries) + used_size(entries), kAlignment);
}
constexpr std::size_t token_size(std::uint16_t chain_maximum) {
  return chain_maximum * kDescriptorSize + DriverQueue::kPrivateBytes;
}

// SAFETY: the rings are aligned and inside the file. The device writes these bytes at the same time: every
// access is one atomic load or store.
std::atomic_ref<std::uint16_t> word(std::span<std::byte> ring, std::size_t offset) {
  CHECK(offset + sizeof(std::uint16_t) <= ring.size());
  return std::atomic_ref(*reinterpret_cast<std::uint16_t*>(ring.data() + offset));
}

// The device is told addresses of this process: its table of memory regions is numbered by them.
std::uint64_t address_of(const void* bytes) { return reinterpret_cast<std::uint64_t>(bytes); }

void store_descriptor(std::span<std::byte> table, std::size_t index, const iovec& buffer,
                      std::uint16_t flags) {
  const std::size_t offset = index * kDescriptorSize;
  store_le<std::uint64_t>(table, offset, address_of(buffer.iov_base));
  store_le<std::uint32_t>(table, offset + kDescriptorLength, static_cast<std::uint32_t>(buffer.iov_len));
  store_le<std::uint16_t>(table, offset + kDescriptorFlags, flags);
  store_le<std::uint16_t>(table, offset + kDescriptorNext, static_cast<std::uint16_t>(index + 1));
}

}  // namespace

std::size_t DriverQueue::bytes_needed(std::uint16_t size, std::uint16_t chain_maximum) {
  return round_up(tokens_offset(size) + size * token_size(chain_maximum), kPage);
}

DriverQueue::DriverQueue(std::span<std::byte> memory, std::uint16_t size, std::uint16_t chain_maximum)
    : memory_(memory), size_(size), chain_maximum_(chain_maximum), is_in_flight_(size) {
  CHECK(std::has_single_bit(size) && size <= kQueueSizeMaximum && chain_maximum <= 1024 &&
        memory.size() >= bytes_needed(size, chain_maximum));
}

std::span<std::byte> DriverQueue::descriptors() const { return memory_.first(size_ * kDescriptorSize); }
std::span<std::byte> DriverQueue::available() const {
  return memory_.subspan(available_offset(size_), available_size(size_));
}
std::span<std::byte> DriverQueue::used() const {
  return memory_.subspan(used_offset(size_), used_size(size_));
}

std::span<std::byte> DriverQueue::table(std::uint32_t token) const {
  const std::size_t size = token_size(chain_maximum_);
  return memory_.subspan(tokens_offset(size_) + token * size, size - kPrivateBytes);
}

std::span<std::byte> DriverQueue::private_bytes(std::uint32_t token) const {
  const std::size_t size = token_size(chain_maximum_);
  return memory_.subspan(tokens_offset(size_) + (token + 1) * size - kPrivateBytes, kPrivateBytes);
}

void DriverQueue::submit(std::uint32_t token, std::span<const iovec> readable,
                         std::span<const iovec> writable) {
  CHECK(token < size_ && !is_in_flight_[token] && readable.size() + writable.size() <= chain_maximum_);
  const auto own_table = table(token);
  const std::size_t count = readable.size() + writable.size();
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_readable = i < readable.size();
    const auto flags =
        static_cast<std::uint16_t>((is_readable ? 0 : kFlagWrite) | (i + 1 < count ? kFlagNext : 0));
    store_descriptor(own_table, i, is_readable ? readable[i] : writable[i - readable.size()], flags);
  }
  store_descriptor(descriptors(), token, {own_table.data(), count * kDescriptorSize}, kFlagIndirect);
  store_le<std::uint16_t>(available(), kRingEntries + (next_available_ % size_) * kAvailableEntrySize,
                          static_cast<std::uint16_t>(token));
  ++next_available_;
  is_in_flight_[token] = true;
  ++in_flight_;
}

bool DriverQueue::publish() {
  const auto index = word(available(), kRingIndex);
  if (index.load(std::memory_order_relaxed) == next_available_) return false;
  index.store(next_available_, std::memory_order_release);
  // 2.7.13.4.1: the index must be visible before the device's wish is read, else both sides may wait.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return (word(used(), kRingFlags).load(std::memory_order_relaxed) & kUsedNoNotify) == 0;
}

Result<std::optional<std::uint32_t>> DriverQueue::take() {
  const auto index = word(used(), kRingIndex).load(std::memory_order_acquire);
  if (index == next_used_) return std::optional<std::uint32_t>();
  const auto token = load_le<std::uint32_t>(used(), kRingEntries + (next_used_ % size_) * kUsedEntrySize);
  if (token >= size_ || !is_in_flight_[token])
    return fail(Error::Code::InvalidData, "it gave back request {}, which it has not", token);
  ++next_used_;
  is_in_flight_[token] = false;
  --in_flight_;
  return std::optional(token);
}

}  // namespace virttdx
