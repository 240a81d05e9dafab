// SPDX-License-Identifier: GPL-2.0-or-later
// The payload as firmware.
#pragma once

#include <span>
#include <vector>

#include "long_mode.h"
#include "tdvf_image.h"

namespace virttdx::test {

inline constexpr std::size_t kPayloadRoom = 0xF000;

/// The payload, linked for GPA 0xffff0000, and behind it the page that brings the TD there in 64-bit mode:
/// both are the measured BFV. Empty when it does not fit.
inline std::vector<std::byte> payload_image(std::span<const std::byte> payload) {
  constexpr std::size_t kPage = 0x1000;
  if (payload.size() > kPayloadRoom) return {};
  TdvfImage image;
  enter_64_bit_mode(image);
  image.put_bytes(0x1140, {0xE9, 0xBB, 0x0E, 0xFF, 0xFF});  // jmp 0xffff0000
  image.put_bytes(0x1FF0, {0xE9, 0x0B, 0xF0, 0xFF, 0xFF});  // jmp 0xfffff000
  image.raw_size(kBfv, 0x10000).address(kBfv, 0xFFFF0000).memory_size(kBfv, 0x10000);
  image.address(kCfv, 0xFFFEF000);
  const auto& pages = image.bytes();
  std::vector<std::byte> whole(pages.begin(), pages.begin() + kPage);
  whole.insert(whole.end(), payload.begin(), payload.end());
  whole.resize(kPage + kPayloadRoom);
  whole.insert(whole.end(), pages.begin() + kPage, pages.end());
  return whole;
}

}  // namespace virttdx::test
