// SPDX-License-Identifier: GPL-2.0-or-later
// Motorola MC146818A datasheet, "Address map" and "Registers"; ICH9 Family Datasheet (316972-004),
// section 13.6. CMOS memory sizes: IBM PC AT Technical Reference, and QEMU's use of 0x34 and 0x5B that OVMF
// reads (edk2 OvmfPkg/Library/PlatformInitLib/MemDetect.c).
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::rtc_spec {

inline constexpr std::uint16_t kIndexPort = 0x70;
inline constexpr std::uint16_t kDataPort = 0x71;
inline constexpr std::uint8_t kIndexMask = 0x7F;  // bit 7 is the NMI mask
inline constexpr std::size_t kSize = 128;

enum Register : std::uint8_t {
  kSeconds = 0x00,
  kMinutes = 0x02,
  kHours = 0x04,
  kDayOfWeek = 0x06,  // 1 is Sunday
  kDayOfMonth = 0x07,
  kMonth = 0x08,
  kYear = 0x09,
  kRegisterA = 0x0A,
  kRegisterB = 0x0B,
  kRegisterC = 0x0C,
  kRegisterD = 0x0D,
  kBaseMemory = 0x15,       // 16 bits, KiB
  kExtendedMemory = 0x17,   // 16 bits, KiB above 1 MiB
  kExtendedMemory2 = 0x30,  // the same again
  kCentury = 0x32,
  kMemoryAbove16M = 0x34,  // 16 bits, 64 KiB units
  kMemoryAbove4G = 0x5B,   // 24 bits, 64 KiB units
};

inline constexpr std::uint8_t kUpdateInProgress = 0x80;  // A
inline constexpr std::uint8_t kRegisterAAtReset = 0x26;  // 32.768 kHz, 1024 Hz
inline constexpr std::uint8_t kSet = 0x80;               // B
inline constexpr std::uint8_t kBinary = 0x04;
inline constexpr std::uint8_t k24Hours = 0x02;
inline constexpr std::uint8_t kValidRamAndTime = 0x80;  // D
inline constexpr std::uint8_t kAfternoon = 0x80;        // hours in 12-hour mode

}  // namespace virttdx::rtc_spec
