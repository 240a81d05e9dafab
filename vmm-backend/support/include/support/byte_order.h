// SPDX-License-Identifier: GPL-2.0-or-later
// Little-endian fields in byte buffers, without alignment or aliasing assumptions.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "support/result.h"

namespace virttdx {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "virttdx runs on x86 hosts only");

/// The field at `offset`. The field must lie inside `bytes`: callers check sizes of outside data first.
template <std::unsigned_integral T>
T load_le(std::span<const std::byte> bytes, std::size_t offset) {
  CHECK(offset <= bytes.size() && bytes.size() - offset >= sizeof(T));
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

/// Stores a field at `offset`, which must lie inside `bytes`.
template <std::unsigned_integral T>
void store_le(std::span<std::byte> bytes, std::size_t offset, T value) {
  CHECK(offset <= bytes.size() && bytes.size() - offset >= sizeof(T));
  std::memcpy(bytes.data() + offset, &value, sizeof(T));
}

}  // namespace virttdx
