// SPDX-License-Identifier: GPL-2.0-or-later
// Values of less than 64 bits in general registers (Intel SDM volume 1, section 3.4.1.1).
#pragma once

#include <cstdint>

namespace virttdx::softhost {

/// All bits of a value of `size` bytes: 1 to 8.
constexpr std::uint64_t mask_of(unsigned size) { return size == 8 ? ~0ULL : (1ULL << (size * 8)) - 1; }

constexpr std::uint64_t sign_extend(std::uint64_t value, unsigned size) {
  const unsigned unused = 64 - size * 8;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(value << unused) >> unused);
}

/// What a register holds after `size` bytes were written to it: 32 bits clear the upper half, fewer keep it.
constexpr std::uint64_t merged(std::uint64_t old_value, std::uint64_t value, unsigned size) {
  if (size >= 4) return value & mask_of(size);
  return (old_value & ~mask_of(size)) | (value & mask_of(size));
}

}  // namespace virttdx::softhost
