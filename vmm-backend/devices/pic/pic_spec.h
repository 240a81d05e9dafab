// SPDX-License-Identifier: GPL-2.0-or-later
// Intel 8259A datasheet (231468-003); ICH9 Family Datasheet (316972-004), section 13.4 for ports and ELCR.
#pragma once

#include <cstdint>

namespace virttdx::pic_spec {

inline constexpr std::uint16_t kMasterPort = 0x20;
inline constexpr std::uint16_t kSlavePort = 0xA0;
inline constexpr std::uint16_t kEdgeLevelPort = 0x4D0;  // ELCR1, ELCR2

// Offset 0, writes: told apart by bits 4 and 3.
inline constexpr std::uint8_t kIcw1 = 0x10;
inline constexpr std::uint8_t kIcw1NeedsIcw4 = 0x01;
inline constexpr std::uint8_t kIcw1Single = 0x02;
// Lines whose edge mode is fixed: 0, 1, 2 in ELCR1; 8, 13 in ELCR2.
inline constexpr std::uint8_t kElcr1Writable = 0xF8;
inline constexpr std::uint8_t kElcr2Writable = 0xDE;

}  // namespace virttdx::pic_spec
