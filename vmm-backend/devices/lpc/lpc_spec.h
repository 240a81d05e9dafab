// SPDX-License-Identifier: GPL-2.0-or-later
// Intel ICH9 Family Datasheet (316972-004), section 13.1, "PCI Configuration Registers (LPC I/F-D31:F0)".
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::lpc_spec {

inline constexpr unsigned kDevice = 31;
inline constexpr std::uint16_t kVendorIntel = 0x8086;
inline constexpr std::uint16_t kDeviceLpc = 0x2918;
inline constexpr std::uint8_t kRevision = 0x02;
// 13.1.3: I/O, memory and bus master, read-only. OVMF makes no serial console behind a bridge without I/O.
inline constexpr std::uint16_t kCommandAtReset = 0x0007;
inline constexpr std::uint16_t kCommandWritable = 0x0140;
inline constexpr std::uint16_t kStatus = 0x0200;  // 13.1.4, without its capabilities list

inline constexpr std::size_t kPmbase = 0x40;  // 13.1.13
inline constexpr std::uint32_t kPmbaseAtReset = 0x1;
inline constexpr std::uint32_t kPmbaseWritable = 0xFF80;
inline constexpr std::size_t kAcpiCntl = 0x44;  // 13.1.14
inline constexpr std::uint8_t kAcpiCntlWritable = 0x87;
inline constexpr std::uint8_t kAcpiEnable = 0x80;
inline constexpr std::size_t kPirqAToD = 0x60;  // 13.1.17
inline constexpr std::size_t kPirqEToH = 0x68;  // 13.1.19
inline constexpr std::uint32_t kPirqsAtReset = 0x80808080;
inline constexpr std::uint32_t kPirqsWritable = 0x8F8F8F8F;
inline constexpr std::size_t kLpcDecode = 0x80;  // 13.1.21 LPC_I/O_DEC, 13.1.22 LPC_EN
inline constexpr std::uint32_t kLpcDecodeWritable = 0x3FFF1377;
inline constexpr std::size_t kGenPmcon1 = 0xA0;  // 13.8.1.1
inline constexpr std::uint16_t kGenPmcon1Writable = 0x0EFF;
inline constexpr std::size_t kGenPmcon3 = 0xA4;  // 13.8.1.3
inline constexpr std::uint8_t kGenPmcon3Writable = 0x39;
inline constexpr std::size_t kRcba = 0xF0;  // 13.1.33
inline constexpr std::uint32_t kRcbaWritable = 0xFFFFC001;

}  // namespace virttdx::lpc_spec
