// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/smbios/smbios_spec.h"
#include "support/byte_order.h"

namespace virttdx {

/// One structure in the making: its formatted part, then its strings (6.1.3).
class SmbiosStructure {
 public:
  SmbiosStructure(std::uint8_t type, std::uint16_t handle);

  template <std::unsigned_integral T>
  SmbiosStructure& add(T value) {
    bytes_.resize(bytes_.size() + sizeof(T));
    store_le<T>(std::span(bytes_), bytes_.size() - sizeof(T), value);
    return *this;
  }
  SmbiosStructure& add(std::span<const std::byte> bytes);
  /// The number of a string: 0 for an empty one.
  SmbiosStructure& add_text(std::string_view text);
  /// A string that no field of the formatted part names.
  SmbiosStructure& add_unnamed_text(std::string_view text);

  std::vector<std::byte> finish() &&;

 private:
  std::vector<std::byte> bytes_;
  std::vector<std::string> texts_;
};

}  // namespace virttdx
