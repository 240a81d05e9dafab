// SPDX-License-Identifier: GPL-2.0-or-later
// Blocks of a HOB list. Source: UEFI Platform Initialization Specification 1.8, volume 3, section 5.
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::tdx::hob {

inline constexpr std::uint16_t kHandoffType = 1, kHandoffSize = 56;
inline constexpr std::uint16_t kResourceType = 3, kResourceSize = 48;
inline constexpr std::uint16_t kEndType = 0xFFFF, kEndSize = 8;

// EFI_HOB_GENERIC_HEADER.
inline constexpr std::size_t kType = 0, kLength = 2, kReserved = 4, kHeaderSize = 8;

// EFI_HOB_HANDOFF_INFO_TABLE.
inline constexpr std::size_t kVersion = 8, kBootMode = 12, kFreeMemoryTop = 32, kEndOfHobList = 48;
inline constexpr std::uint32_t kHandoffVersion = 9;

// EFI_HOB_RESOURCE_DESCRIPTOR.
inline constexpr std::size_t kResourceKind = 24, kResourceAttributes = 28, kPhysicalStart = 32,
                             kResourceLength = 40;
inline constexpr std::uint32_t kSystemMemory = 0, kUnacceptedMemory = 7;
inline constexpr std::uint32_t kPresentInitializedTested = 7;
/// EFI_RESOURCE_ATTRIBUTE_*, PRESENT (bit 0) to SPECIAL_PURPOSE (bit 27).
inline constexpr std::uint32_t kResourceAttributeMask = 0x0FFFFFFF;

}  // namespace virttdx::tdx::hob
