// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/io_apic/io_apic.h"

#include <algorithm>

#include "support/byte_order.h"

namespace virttdx {

using namespace io_apic_spec;

IoApic::IoApic(MsiSink sink) : sink_(std::move(sink)) {
  for (std::size_t i = 0; i < pins_.size(); ++i) {
    pins_[i].owner = this;
    pins_[i].number = i;
  }
}

InterruptLine& IoApic::pin(std::size_t number) {
  CHECK(number < pins_.size());
  return pins_[number];
}

void IoApic::read(std::uint64_t offset, std::span<std::byte> data) {
  std::fill(data.begin(), data.end(), std::byte{0});
  if (data.size() != 4) return;
  const std::lock_guard lock(mutex_);
  if (offset == kSelect) store_le<std::uint32_t>(data, 0, selected_);
  if (offset == kWindow) store_le<std::uint32_t>(data, 0, read_selected());
}

void IoApic::write(std::uint64_t offset, std::span<const std::byte> data) {
  if (data.size() != 4) return;
  const std::lock_guard lock(mutex_);
  const auto value = load_le<std::uint32_t>(data, 0);
  if (offset == kSelect) selected_ = static_cast<std::uint8_t>(value);
  if (offset == kWindow) write_selected(value);
}

std::uint32_t IoApic::read_selected() const {
  if (selected_ == kId || selected_ == kArbitration) return id_;
  if (selected_ == kVersion) return kVersionValue;
  if (selected_ < kRedirectionTable || selected_ >= kRedirectionTable + 2 * kPins) return 0;
  const std::size_t index = selected_ - kRedirectionTable;
  return static_cast<std::uint32_t>(pins_[index / 2].entry >> (index % 2 * 32));
}

void IoApic::write_selected(std::uint32_t value) {
  if (selected_ == kId) id_ = value & kIdMask;
  if (selected_ < kRedirectionTable || selected_ >= kRedirectionTable + 2 * kPins) return;
  write_entry(selected_ - kRedirectionTable, value);
}

void IoApic::write_entry(std::size_t index, std::uint32_t value) {
  Pin& pin = pins_[index / 2];
  const int shift = index % 2 == 0 ? 0 : 32;
  const bool was_masked = (pin.entry & kMasked) != 0;
  const std::uint64_t kept = pin.entry & ~(0xFFFFFFFFULL << shift);
  pin.entry = (kept | std::uint64_t{value} << shift) & kWritable;
  const bool unmasked = was_masked && (pin.entry & kMasked) == 0;
  if (unmasked && pin.asserted && (pin.entry & kLevelTriggered) != 0) send(pin.entry);
}

void IoApic::set_pin(std::size_t number, bool asserted) {
  const std::lock_guard lock(mutex_);
  Pin& pin = pins_[number];
  const bool rose = asserted && !pin.asserted;
  pin.asserted = asserted;
  if (rose && (pin.entry & kMasked) == 0) send(pin.entry);
}

void IoApic::send(std::uint64_t entry) const {
  const std::uint64_t destination = entry >> kDestinationShift;
  const std::uint64_t extended = entry >> kExtendedDestinationShift & 0x7F;
  const bool logical = (entry & kLogicalDestination) != 0;
  sink_({.address = kMessageAddress | destination << kMessageDestinationShift |
                    extended << kMessageExtendedDestinationShift | (logical ? kMessageLogicalDestination : 0),
         .data = static_cast<std::uint32_t>(entry & (kVector | kDeliveryMode)) | kMessageAssert});
}

}  // namespace virttdx
