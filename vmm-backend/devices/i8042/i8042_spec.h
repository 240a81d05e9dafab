// SPDX-License-Identifier: GPL-2.0-or-later
// Intel UPI-41AH/42AH data sheet and IBM PC AT Technical Reference (March 1986), section 1, "Keyboard
// Controller".
#pragma once

#include <cstdint>

namespace virttdx::i8042_spec {

inline constexpr std::uint16_t kDataPort = 0x60;
inline constexpr std::uint16_t kCommandPort = 0x64;

// Status (read of port 0x64).
inline constexpr std::uint8_t kStatusOutputFull = 0x01;
inline constexpr std::uint8_t kStatusSystem = 0x04;   // self test passed
inline constexpr std::uint8_t kStatusCommand = 0x08;  // the last byte written was a command
inline constexpr std::uint8_t kStatusUnlocked = 0x10;
inline constexpr std::uint8_t kStatusTimeout = 0x40;
inline constexpr std::uint8_t kStatusParity = 0x80;

// Commands (write of port 0x64).
inline constexpr std::uint8_t kReadCommandByte = 0x20;
inline constexpr std::uint8_t kWriteCommandByte = 0x60;
inline constexpr std::uint8_t kTestMouseInterface = 0xA9;
inline constexpr std::uint8_t kSelfTest = 0xAA;
inline constexpr std::uint8_t kTestKeyboardInterface = 0xAB;
inline constexpr std::uint8_t kReadOutputPort = 0xD0;
inline constexpr std::uint8_t kWriteOutputPort = 0xD1;
inline constexpr std::uint8_t kWriteToMouse = 0xD4;
inline constexpr std::uint8_t kPulseOutput = 0xF0;  // to 0xFF: bits 3:0 low pulse the output port's lines

inline constexpr std::uint8_t kSelfTestPassed = 0x55;
inline constexpr std::uint8_t kInterfaceClockStuckHigh = 0x02;  // what an empty socket looks like
inline constexpr std::uint8_t kCommandByteAtReset = 0x30;       // both interfaces disabled
inline constexpr std::uint8_t kOutputNotReset = 0x01;
inline constexpr std::uint8_t kOutputA20 = 0x02;

}  // namespace virttdx::i8042_spec
