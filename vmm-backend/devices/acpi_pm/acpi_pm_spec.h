// SPDX-License-Identifier: GPL-2.0-or-later
// Intel ICH9 Family Datasheet (316972-004), section 13.8.3, "Power Management I/O Registers"; ACPI 6.5,
// section 4.8.
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::acpi_pm_spec {

inline constexpr std::size_t kSize = 128;

inline constexpr std::size_t kPm1Status = 0x00;   // 13.8.3.1, 16 bits, write 1 to clear
inline constexpr std::size_t kPm1Enable = 0x02;   // 13.8.3.2, 16 bits
inline constexpr std::size_t kPm1Control = 0x04;  // 13.8.3.3, 32 bits
inline constexpr std::size_t kPmTimer = 0x08;     // 13.8.3.4, 32 bits, read-only
inline constexpr std::size_t kGpe0Status = 0x20;  // 13.8.3.9, 64 bits, write 1 to clear
inline constexpr std::size_t kGpe0Enable = 0x28;  // 13.8.3.10, 64 bits
inline constexpr std::size_t kSmiEnable = 0x30;   // 13.8.3.11, 32 bits

// PM1 status and enable.
inline constexpr std::uint16_t kPowerButton = 1 << 8;
inline constexpr std::uint16_t kPm1StatusClearable = 0xCD31;
inline constexpr std::uint16_t kPm1EnableWritable = 0x4521;

// PM1 control.
inline constexpr std::uint16_t kSciEnable = 1 << 0;
inline constexpr std::uint16_t kSleepTypeMask = 7 << 10;
inline constexpr int kSleepTypeShift = 10;
inline constexpr std::uint16_t kSleepEnable = 1 << 13;  // write-only, reads 0
/// SCI_EN is always 1: without system management mode there is no legacy mode to leave.
inline constexpr std::uint16_t kPm1ControlAtReset = kSciEnable;
inline constexpr std::uint16_t kPm1ControlWritable = 1 << 1 | kSleepTypeMask;
/// Soft-off: 7 is ICH9's; 0 is what OVMF writes on Q35, where QEMU's \_S5 package says 0.
inline constexpr std::uint16_t kSleepTypeS5 = 7;
inline constexpr std::uint16_t kSleepTypeS5Ovmf = 0;

inline constexpr std::uint32_t kSmiEnableWritable = 0x0006283F;
inline constexpr std::uint64_t kTimerFrequency = 3'579'545;  // Hz
inline constexpr std::uint32_t kTimerMask = 0x00FFFFFF;      // 24 bits

inline constexpr std::size_t kSciInterrupt = 9;

}  // namespace virttdx::acpi_pm_spec
