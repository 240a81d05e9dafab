// SPDX-License-Identifier: GPL-2.0-or-later
// IBM PC AT Technical Reference (March 1986), section 1, "Keyboard Controller".
#pragma once

#include <cstdint>

namespace virttdx::i8042_spec {

inline constexpr std::uint16_t kDataPort = 0x60;
inline constexpr std::uint16_t kCommandPort = 0x64;
inline constexpr std::uint8_t kNothingThere = 0xFF;  // what an ISA bus without a device reads as

// Commands (write of port 0x64).
inline constexpr std::uint8_t kPulseOutput = 0xF0;  // to 0xFF: bits 3:0 low pulse the output port's lines
inline constexpr std::uint8_t kLineNotReset = 0x01;

}  // namespace virttdx::i8042_spec
