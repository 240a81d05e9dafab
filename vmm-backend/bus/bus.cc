// SPDX-License-Identifier: GPL-2.0-or-later
#include "bus/bus.h"

#include <algorithm>
#include <mutex>

#include "support/log.h"

namespace virttdx {

void ByteRegion::read(std::uint64_t offset, std::span<std::byte> data) {
  for (std::byte& byte : data) byte = static_cast<std::byte>(read_byte(offset++));
}

void ByteRegion::write(std::uint64_t offset, std::span<const std::byte> data) {
  for (const std::byte byte : data) write_byte(offset++, static_cast<std::uint8_t>(byte));
}

Result<> AddressBus::add(std::uint64_t base, std::uint64_t size, std::string_view name, BusRegion& region) {
  if (size == 0 || base > last_ || size - 1 > last_ - base)
    return fail(Error::Code::InvalidArgument, "{} range of '{}': base {:#x} and size {:#x} leave the bus",
                name_, name, base, size);
  const std::unique_lock lock(mutex_);
  const auto next = std::find_if(claims_.begin(), claims_.end(),
                                 [&](const Claim& claim) { return claim.base + claim.size > base; });
  if (next != claims_.end() && next->base < base + size)
    return fail(Error::Code::AlreadyExists, "{} range {:#x}-{:#x} of '{}' overlaps {:#x}-{:#x} of '{}'",
                name_, base, base + size - 1, name, next->base, next->base + next->size - 1, next->name);
  claims_.insert(next, Claim{base, size, std::string(name), &region});
  return {};
}

void AddressBus::remove(const BusRegion& region) {
  const std::unique_lock lock(mutex_);
  std::erase_if(claims_, [&](const Claim& claim) { return claim.region == &region; });
}

AddressBus::Target AddressBus::find(std::uint64_t address, std::size_t size) const {
  const std::shared_lock lock(mutex_);
  auto claim = std::upper_bound(claims_.begin(), claims_.end(), address,
                                [](std::uint64_t value, const Claim& other) { return value < other.base; });
  if (claim == claims_.begin()) return {nullptr, 0};
  --claim;
  const std::uint64_t offset = address - claim->base;
  if (offset >= claim->size || size > claim->size - offset) return {nullptr, 0};
  return {claim->region, offset};
}

void AddressBus::read(std::uint64_t address, std::span<std::byte> data) {
  const Target target = find(address, data.size());
  if (target.region != nullptr) return target.region->read(target.offset, data);
  std::fill(data.begin(), data.end(), std::byte{0xFF});
  ++unclaimed_reads_;
  log::debug("{} read of {} bytes at {:#x}: no device", name_, data.size(), address);
}

void AddressBus::write(std::uint64_t address, std::span<const std::byte> data) {
  const Target target = find(address, data.size());
  if (target.region != nullptr) return target.region->write(target.offset, data);
  ++unclaimed_writes_;
  log::debug("{} write of {} bytes at {:#x}: no device", name_, data.size(), address);
}

}  // namespace virttdx
