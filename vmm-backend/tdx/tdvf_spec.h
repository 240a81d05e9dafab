// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes of TDVF metadata in a firmware image. Sources: Intel TDX Virtual Firmware Design Guide (344991),
// section 11; edk2 OvmfPkg/ResetVector (GUIDed table at the image's end).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace virttdx {

using Guid = std::array<std::byte, 16>;

/// A GUID's bytes (first three fields little-endian) from its text form.
consteval Guid guid(std::string_view text) {
  constexpr std::array<int, 16> kDigitOf = {6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34};
  const auto nibble = [](char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; };
  Guid bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto at = static_cast<std::size_t>(kDigitOf.at(i));
    bytes.at(i) = static_cast<std::byte>(nibble(text[at]) * 16 + nibble(text[at + 1]));
  }
  return bytes;
}

// The table of GUIDed entries is read backwards from its footer. An entry is: data, u16 length, GUID; the
// length counts all three.
inline constexpr Guid kTableFooterGuid = guid("96b582de-1fb2-45f7-baea-a366c55a082d");
inline constexpr Guid kTdxMetadataOffsetGuid = guid("e47a6535-984a-4798-865e-4685a7bf8ec2");
inline constexpr std::size_t kTableEndFromImageEnd = 0x20;
inline constexpr std::size_t kTableEntryOverhead = 18;

// The descriptor stands behind a GUID of its own.
inline constexpr Guid kTdvfGuardGuid = guid("e9eaf9f3-168e-44d5-a8eb-7f4d8738f6ae");
inline constexpr std::uint32_t kTdvfSignature = 0x46564454;  // "TDVF"
inline constexpr std::uint32_t kTdvfVersion = 1;
inline constexpr std::size_t kTdvfDescriptorSize = 16;
inline constexpr std::size_t kTdvfSectionSize = 32;

// Fields of the descriptor.
inline constexpr std::size_t kDescriptorSignature = 0;
inline constexpr std::size_t kDescriptorLength = 4;
inline constexpr std::size_t kDescriptorVersion = 8;
inline constexpr std::size_t kDescriptorSectionCount = 12;

// Fields of a section.
inline constexpr std::size_t kSectionDataOffset = 0;
inline constexpr std::size_t kSectionRawDataSize = 4;
inline constexpr std::size_t kSectionMemoryAddress = 8;
inline constexpr std::size_t kSectionMemoryDataSize = 16;
inline constexpr std::size_t kSectionType = 24;
inline constexpr std::size_t kSectionAttributes = 28;

inline constexpr std::uint32_t kSectionMrExtend = 1;

}  // namespace virttdx
