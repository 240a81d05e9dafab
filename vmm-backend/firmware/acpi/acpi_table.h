// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "firmware/acpi/acpi_spec.h"
#include "support/byte_order.h"

namespace virttdx {

/// One system description table in the making: header first, fields appended or set by offset.
class AcpiTable {
 public:
  /// `signature`: 4 characters.
  AcpiTable(std::string_view signature, std::uint8_t revision);

  template <std::unsigned_integral T>
  AcpiTable& add(T value) {
    bytes_.resize(bytes_.size() + sizeof(T));
    store_le<T>(std::span(bytes_), bytes_.size() - sizeof(T), value);
    return *this;
  }
  AcpiTable& add(std::span<const std::byte> bytes);
  void resize(std::size_t size) { bytes_.resize(size); }
  template <typename T>
  void set(std::size_t offset, T value) {
    store_le<T>(std::span(bytes_), offset, value);
  }
  std::size_t size() const { return bytes_.size(); }

  /// With length and checksum.
  std::vector<std::byte> finish() &&;

 private:
  std::vector<std::byte> bytes_;
};

/// What makes the sum of `bytes`, where the checksum's own place is 0, a multiple of 256.
std::uint8_t acpi_checksum(std::span<const std::byte> bytes);

/// `text`, filled up with spaces.
void put_text(std::span<std::byte> field, std::string_view text);
inline constexpr std::string_view kAcpiOemId = "VIRTDX";

}  // namespace virttdx
