// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/pci/msix.h"

#include <algorithm>
#include <bit>

#include "support/byte_order.h"

namespace virttdx {

using namespace pci_spec;

namespace {

constexpr std::uint64_t kPendingOffsetMinimum = 2048;  // half a page

}  // namespace

Msix::Msix(unsigned vectors, MsiSink sink, std::function<void()> changed)
    : sink_(std::move(sink)), changed_(std::move(changed)), entries_(vectors) {
  CHECK(vectors >= 1 && vectors <= kMsixVectorsMaximum);
}

std::uint64_t Msix::pending_offset() const {
  return std::max<std::uint64_t>(kPendingOffsetMinimum, std::bit_ceil(entries_.size() * kMsixEntrySize));
}

void Msix::configure(bool enabled, bool function_masked) {
  {
    const std::lock_guard lock(mutex_);
    enabled_ = enabled;
    function_masked_ = function_masked;
    send_pending();
  }
  if (changed_) changed_();
}

void Msix::raise(unsigned vector) {
  const std::lock_guard lock(mutex_);
  if (!enabled_ || vector >= entries_.size()) return;
  Entry& entry = entries_[vector];
  if (is_masked(entry))
    entry.pending = true;
  else
    send(entry);
}

std::optional<MsiMessage> Msix::message(unsigned vector) {
  const std::lock_guard lock(mutex_);
  if (!enabled_ || vector >= entries_.size() || is_masked(entries_[vector])) return std::nullopt;
  return MsiMessage{entries_[vector].address, entries_[vector].data};
}

bool Msix::is_masked(const Entry& entry) const {
  return function_masked_ || (entry.control & kMsixEntryMasked) != 0;
}

void Msix::send(Entry& entry) {
  entry.pending = false;
  sink_({entry.address, entry.data});
}

void Msix::send_pending() {
  if (!enabled_) return;
  for (Entry& entry : entries_)
    if (entry.pending && !is_masked(entry)) send(entry);
}

// 6.8.2: software accesses whole doublewords or quadwords; anything else is undefined: reads 0, writes
// nothing.
void Msix::read(std::uint64_t offset, std::span<std::byte> data) {
  std::fill(data.begin(), data.end(), std::byte{0});
  if (offset % 4 != 0 || data.size() % 4 != 0) return;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < data.size(); i += 4) store_le(data, i, read_dword(offset + i));
}

void Msix::write(std::uint64_t offset, std::span<const std::byte> data) {
  if (offset % 4 != 0 || data.size() % 4 != 0) return;
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < data.size(); i += 4) write_dword(offset + i, load_le<std::uint32_t>(data, i));
  }
  if (changed_) changed_();
}

std::uint32_t Msix::read_dword(std::uint64_t offset) const {
  if (offset >= pending_offset()) return pending_dword((offset - pending_offset()) * 8);
  const std::uint64_t vector = offset / kMsixEntrySize;
  if (vector >= entries_.size()) return 0;
  const Entry& entry = entries_[vector];
  switch (offset % kMsixEntrySize) {
    case kMsixEntryAddress:
      return static_cast<std::uint32_t>(entry.address);
    case kMsixEntryAddress + 4:
      return static_cast<std::uint32_t>(entry.address >> 32);
    case kMsixEntryData:
      return entry.data;
    default:
      return entry.control;
  }
}

std::uint32_t Msix::pending_dword(std::uint64_t first_vector) const {
  std::uint32_t bits = 0;
  for (unsigned i = 0; i < 32 && first_vector + i < entries_.size(); ++i)
    if (entries_[first_vector + i].pending) bits |= 1U << i;
  return bits;
}

void Msix::write_dword(std::uint64_t offset, std::uint32_t value) {
  const std::uint64_t vector = offset / kMsixEntrySize;
  if (offset >= pending_offset() || vector >= entries_.size()) return;
  Entry& entry = entries_[vector];
  constexpr std::uint64_t kLow = 0xFFFFFFFF;
  switch (offset % kMsixEntrySize) {
    case kMsixEntryAddress:
      entry.address = (entry.address & ~kLow) | (value & ~3U);
      break;
    case kMsixEntryAddress + 4:
      entry.address = (entry.address & kLow) | std::uint64_t{value} << 32;
      break;
    case kMsixEntryData:
      entry.data = value;
      break;
    default:
      entry.control = value & kMsixEntryMasked;
      if (enabled_ && entry.pending && !is_masked(entry)) send(entry);
  }
}

}  // namespace virttdx
