// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/pci/pci_function.h"

#include <algorithm>

namespace virttdx {

using namespace pci_spec;

PciFunction::PciFunction(const PciIdentity& identity) {
  define<std::uint16_t>(kVendorId, identity.vendor_id, 0);
  define<std::uint16_t>(kDeviceId, identity.device_id, 0);
  define<std::uint16_t>(kCommand, identity.command, identity.command_writable);
  define<std::uint16_t>(kStatus, identity.status, 0);
  define<std::uint8_t>(kRevisionId, identity.revision, 0);
  define<std::uint8_t>(kSubClass, identity.sub_class, 0);
  define<std::uint8_t>(kBaseClass, identity.base_class, 0);
  define<std::uint8_t>(kHeaderType, identity.header_type, 0);
}

std::size_t PciFunction::add_capability(std::uint8_t id, std::size_t size) {
  const std::size_t offset = next_capability_;
  CHECK(size >= 2 && size <= kFunctionSpace - offset);
  define<std::uint8_t>(last_link_, static_cast<std::uint8_t>(offset), 0);
  define<std::uint8_t>(offset, id, 0);
  define<std::uint16_t>(kStatus, get<std::uint16_t>(kStatus) | kStatusCapabilities, 0);
  last_link_ = offset + 1;
  next_capability_ = (offset + size + 3) / 4 * 4;
  return offset;
}

std::size_t PciFunction::add_express_capability(std::uint16_t type) {
  const std::size_t base = add_capability(kCapabilityPciExpress, kExpressSize);
  define<std::uint16_t>(base + kExpressFlags, type | kExpressVersion, 0);
  define<std::uint32_t>(base + kExpressDeviceCapabilities, kExpressRoleBasedErrors, 0);
  define<std::uint16_t>(base + kExpressDeviceControl, 0, kExpressDeviceControlWritable);
  if (type == kExpressIntegratedEndpoint) return base;  // it has no link
  define<std::uint32_t>(base + kExpressLinkCapabilities, kExpressLink, 0);
  define<std::uint16_t>(base + kExpressLinkControl, 0, kExpressLinkControlWritable);
  define<std::uint16_t>(base + kExpressLinkStatus, kExpressLink, 0);
  return base;
}

void PciFunction::mark_multi_function(std::span<PciFunction* const> of_device) {
  const auto is_there = [](const PciFunction* function) { return function != nullptr; };
  PciFunction* const first = of_device.front();
  if (first == nullptr || std::ranges::none_of(of_device.subspan(1), is_there)) return;
  first->define<std::uint8_t>(kHeaderType, first->get<std::uint8_t>(kHeaderType) | kMultiFunction, 0);
}

void PciFunction::read(std::size_t offset, std::span<std::byte> data) {
  reading(offset, data.size());
  for (std::byte& byte : data) {
    byte = offset < kFunctionSpace ? space_[offset] : std::byte{0};
    ++offset;
  }
}

void PciFunction::write(std::size_t offset, std::span<const std::byte> data) {
  for (std::size_t i = 0; i < data.size() && offset + i < kFunctionSpace; ++i) {
    const std::byte mask = writable_[offset + i];
    space_[offset + i] = (space_[offset + i] & ~mask) | (data[i] & mask);
  }
  written(offset, data.size());
}

}  // namespace virttdx
