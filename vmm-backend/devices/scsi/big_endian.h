// SPDX-License-Identifier: GPL-2.0-or-later
// Big-endian fields of SCSI commands and data.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>

#include "support/result.h"

namespace virttdx {

/// The field at `offset`, which lies inside `bytes`.
template <std::unsigned_integral T>
T load_be(std::span<const std::byte> bytes, std::size_t offset) {
  CHECK(offset <= bytes.size() && bytes.size() - offset >= sizeof(T));
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>(value << 8 | std::to_integer<T>(bytes[offset + i]));
  return value;
}

/// Stores a field at `offset`, which lies inside `bytes`.
template <std::unsigned_integral T>
void store_be(std::span<std::byte> bytes, std::size_t offset, T value) {
  CHECK(offset <= bytes.size() && bytes.size() - offset >= sizeof(T));
  for (std::size_t i = sizeof(T); i-- > 0; value = static_cast<T>(value >> 8))
    bytes[offset + i] = static_cast<std::byte>(value & 0xFF);
}

}  // namespace virttdx
