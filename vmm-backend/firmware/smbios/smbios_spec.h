// SPDX-License-Identifier: GPL-2.0-or-later
// DMTF DSP0134, System Management BIOS Reference Specification 3.6.
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::smbios_spec {

// 5.2.2 SMBIOS 3.0 (64-bit) entry point.
inline constexpr std::size_t kAnchorSize = 24;
inline constexpr std::size_t kAnchorChecksum = 5;
inline constexpr std::size_t kAnchorLength = 6;
inline constexpr std::size_t kAnchorMajor = 7;
inline constexpr std::size_t kAnchorMinor = 8;
inline constexpr std::size_t kAnchorRevision = 10;
inline constexpr std::size_t kAnchorMaximumSize = 12;  // u32
inline constexpr std::uint8_t kMajor = 3, kMinor = 0, kEntryPointRevision = 1;

// 6.1.2 Structure header: type u8, length u8, handle u16.
inline constexpr std::size_t kHeaderSize = 4;

// 7: structure types and their lengths in version 3.0.
inline constexpr std::uint8_t kBios = 0;
inline constexpr std::uint8_t kSystem = 1;
inline constexpr std::uint8_t kBaseboard = 2;
inline constexpr std::uint8_t kChassis = 3;
inline constexpr std::uint8_t kProcessor = 4;
inline constexpr std::uint8_t kOemStrings = 11;
inline constexpr std::uint8_t kMemoryArray = 16;
inline constexpr std::uint8_t kMemoryDevice = 17;
inline constexpr std::uint8_t kMemoryArrayMapping = 19;
inline constexpr std::uint8_t kBootStatus = 32;
inline constexpr std::uint8_t kEndOfTable = 127;

// 7.1 BIOS information.
inline constexpr std::uint64_t kBiosCharacteristicsUnsupported = 1 << 3;
inline constexpr std::uint8_t kBiosExtension2Uefi = 1 << 3;
inline constexpr std::uint8_t kBiosExtension2VirtualMachine = 1 << 4;
inline constexpr std::uint8_t kNoRelease = 0xFF;

inline constexpr std::uint8_t kWakeupPowerSwitch = 6;        // 7.2.2
inline constexpr std::uint8_t kBoardHosting = 0x01;          // 7.3.1
inline constexpr std::uint8_t kBoardTypeMotherboard = 0x0A;  // 7.3.2
inline constexpr std::uint8_t kChassisOther = 0x01;          // 7.4.1
inline constexpr std::uint8_t kStateSafe = 0x03;             // 7.4.2
inline constexpr std::uint8_t kSecurityUnknown = 0x02;       // 7.4.3

// 7.5 Processor information.
inline constexpr std::uint8_t kCentralProcessor = 3;
inline constexpr std::uint8_t kFamilyOther = 1;
inline constexpr std::uint8_t kPopulatedAndEnabled = 0x41;
inline constexpr std::uint8_t kUpgradeOther = 1;
inline constexpr std::uint16_t kNoCacheHandle = 0xFFFF;
inline constexpr std::uint16_t kProcessor64Bit = 1 << 2;

// 7.17, 7.18: memory.
inline constexpr std::uint8_t kLocationOther = 1;
inline constexpr std::uint8_t kUseSystemMemory = 3;
inline constexpr std::uint8_t kMultiBitEcc = 6;
inline constexpr std::uint32_t kCapacityExtended = 0x80000000;
inline constexpr std::uint16_t kNotProvided = 0xFFFE;
inline constexpr std::uint16_t kWidthUnknown = 0xFFFF;
inline constexpr std::uint8_t kFormFactorDimm = 9;
inline constexpr std::uint8_t kTypeRam = 7;
inline constexpr std::uint16_t kTypeDetailOther = 1 << 1;
inline constexpr std::uint16_t kSizeExtended = 0x7FFF;  // size in MiB; this: see the extended size

}  // namespace virttdx::smbios_spec
