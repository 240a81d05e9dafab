// SPDX-License-Identifier: GPL-2.0-or-later
// ACPI Specification 6.5, chapter 20 (AML encoding) and section 6.4 (resource data types).
#pragma once

#include <cstdint>

namespace virttdx::aml_spec {

// 20.2.2 Name objects.
inline constexpr std::uint8_t kDualNamePrefix = 0x2E;
inline constexpr std::uint8_t kMultiNamePrefix = 0x2F;
inline constexpr char kRootCharacter = '\\';

// 20.2.3 Data objects.
inline constexpr std::uint8_t kZero = 0x00;
inline constexpr std::uint8_t kOne = 0x01;
inline constexpr std::uint8_t kBytePrefix = 0x0A;
inline constexpr std::uint8_t kWordPrefix = 0x0B;
inline constexpr std::uint8_t kDwordPrefix = 0x0C;
inline constexpr std::uint8_t kStringPrefix = 0x0D;
inline constexpr std::uint8_t kQwordPrefix = 0x0E;

// 20.2.5 Term objects.
inline constexpr std::uint8_t kName = 0x08;
inline constexpr std::uint8_t kScope = 0x10;
inline constexpr std::uint8_t kBuffer = 0x11;
inline constexpr std::uint8_t kPackage = 0x12;
inline constexpr std::uint8_t kMethod = 0x14;
inline constexpr std::uint8_t kExtendedPrefix = 0x5B;
inline constexpr std::uint8_t kDevice = 0x82;  // after kExtendedPrefix
inline constexpr std::uint8_t kArgument0 = 0x68;
inline constexpr std::uint8_t kAnd = 0x7B;
inline constexpr std::uint8_t kOr = 0x7D;
inline constexpr std::uint8_t kCreateDwordField = 0x8A;
inline constexpr std::uint8_t kLogicalNot = 0x92;
inline constexpr std::uint8_t kLogicalEqual = 0x93;
inline constexpr std::uint8_t kIf = 0xA0;
inline constexpr std::uint8_t kElse = 0xA1;
inline constexpr std::uint8_t kReturn = 0xA4;
inline constexpr std::uint8_t kMethodSerialized = 1 << 3;

// 6.4.2 Small resources: tag with length.
inline constexpr std::uint8_t kIrqTag = 0x22;
inline constexpr std::uint8_t kIoPortTag = 0x47;
inline constexpr std::uint8_t kEndTag = 0x79;
inline constexpr std::uint8_t kDecode16 = 1;

// 6.4.3 Large resources.
inline constexpr std::uint8_t kMemory32FixedTag = 0x86;
inline constexpr std::uint8_t kDwordAddressTag = 0x87;
inline constexpr std::uint8_t kWordAddressTag = 0x88;
inline constexpr std::uint8_t kQwordAddressTag = 0x8A;
inline constexpr std::uint8_t kMemoryRange = 0;
inline constexpr std::uint8_t kIoRange = 1;
inline constexpr std::uint8_t kBusNumberRange = 2;
inline constexpr std::uint8_t kMinimumAndMaximumFixed = 0x0C;  // 6.4.3.5, general flags: producer
inline constexpr std::uint8_t kReadWrite = 1;
inline constexpr std::uint8_t kEntireIoRange = 3;

}  // namespace virttdx::aml_spec
