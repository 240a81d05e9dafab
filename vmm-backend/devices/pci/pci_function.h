// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "devices/pci/pci_spec.h"
#include "support/byte_order.h"

namespace virttdx {

/// What a function is, for its header.
struct PciIdentity {
  std::uint16_t vendor_id;
  std::uint16_t device_id;
  std::uint8_t revision;
  std::uint8_t base_class;
  std::uint8_t sub_class;
  std::uint8_t header_type;
  std::uint16_t command;  ///< at reset
  std::uint16_t command_writable;
  std::uint16_t status;  ///< at reset, without the bit of the capabilities list; nothing clears its bits
};

/// The configuration space of one function: 256 bytes, each with a mask of writable bits. Accessed under
/// PciRoot's lock.
class PciFunction {
 public:
  explicit PciFunction(const PciIdentity& identity);
  virtual ~PciFunction() = default;

  /// Offsets from 0x100 on (extended space) read 0: there are no extended capabilities.
  void read(std::size_t offset, std::span<std::byte> data);
  void write(std::size_t offset, std::span<const std::byte> data);
  /// Lets function 0 of a device tell of the others, if there are any: a guest looks for them only then.
  /// Absent ones are null.
  static void mark_multi_function(std::span<PciFunction* const> of_device);
  /// The function at `function` (device and function number) of bus `bus` when this one is a bridge to it.
  virtual PciFunction* behind(std::size_t /*bus*/, std::size_t /*function*/) { return nullptr; }

 protected:
  /// Appends a capability of `size` bytes to the list, with its id and link set and the rest 0, read-only.
  /// Its offset. CHECKs that it fits.
  std::size_t add_capability(std::uint8_t id, std::size_t size);
  /// The PCI Express capability of a function of `type` (pci_spec::kExpress...), port number 0.
  std::size_t add_express_capability(std::uint16_t type);
  template <typename T>
  void define(std::size_t offset, T value, T writable) {
    store_le<T>(std::span(space_), offset, value);
    store_le<T>(std::span(writable_), offset, writable);
  }
  template <typename T>
  T get(std::size_t offset) const {
    return load_le<T>(space_, offset);
  }
  /// Called after a write that touched any byte; the whole space is up to date.
  virtual void written(std::size_t offset, std::size_t size) = 0;
  /// Called before a read: a function whose registers are windows to something else fills them in.
  virtual void reading(std::size_t /*offset*/, std::size_t /*size*/) {}

 private:
  std::array<std::byte, pci_spec::kFunctionSpace> space_{};
  std::array<std::byte, pci_spec::kFunctionSpace> writable_{};
  std::size_t next_capability_ = pci_spec::kFirstCapability;
  std::size_t last_link_ = pci_spec::kCapabilities;
};

}  // namespace virttdx
