// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/pci/pci_function.h"

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

void PciFunction::read(std::size_t offset, std::span<std::byte> data) const {
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
