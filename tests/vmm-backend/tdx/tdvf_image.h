// SPDX-License-Identifier: GPL-2.0-or-later
// The smallest valid TDVF image, made by hand: 8 KiB, CFV in the first page, BFV with all metadata in the
// second.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "support/byte_order.h"

namespace virttdx::test {

inline constexpr std::size_t kImageSize = 0x2000;
// Offsets in the image, spelt out and not computed, so that a mistake in the parser cannot hide here.
inline constexpr std::size_t kFooterGuid = 0x1FD0;
inline constexpr std::size_t kTableLength = 0x1FCE;
inline constexpr std::size_t kTdxEntryGuid = 0x1FBE;
inline constexpr std::size_t kTdxEntryLength = 0x1FBC;
inline constexpr std::size_t kTdxEntryOffset = 0x1FB8;
inline constexpr std::size_t kGuard = 0x1E00;
inline constexpr std::size_t kDescriptor = 0x1E10;
inline constexpr std::size_t kSections = 0x1E20;
enum Section : std::size_t { kBfv, kCfv, kTempMem, kTdHob };

class TdvfImage {
 public:
  TdvfImage() : bytes_(kImageSize) {
    put_bytes(kFooterGuid, {0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45, 0xba, 0xea, 0xa3, 0x66, 0xc5,
                            0x5a, 0x08, 0x2d});
    put<std::uint16_t>(kTableLength, 18 + 22);
    put_bytes(kTdxEntryGuid, {0x35, 0x65, 0x7a, 0xe4, 0x4a, 0x98, 0x98, 0x47, 0x86, 0x5e, 0x46, 0x85, 0xa7,
                              0xbf, 0x8e, 0xc2});
    put<std::uint16_t>(kTdxEntryLength, 22);
    put<std::uint32_t>(kTdxEntryOffset, kImageSize - kDescriptor);
    put_bytes(kGuard, {0xf3, 0xf9, 0xea, 0xe9, 0x8e, 0x16, 0xd5, 0x44, 0xa8, 0xeb, 0x7f, 0x4d, 0x87, 0x38,
                       0xf6, 0xae});
    put_bytes(kDescriptor, {'T', 'D', 'V', 'F'});
    put<std::uint32_t>(kDescriptor + 4, 16 + 4 * 32);
    put<std::uint32_t>(kDescriptor + 8, 1);
    put<std::uint32_t>(kDescriptor + 12, 4);
    section(kBfv, 0x1000, 0x1000, 0xFFFFF000, 0x1000, 0, 1);
    section(kCfv, 0, 0x1000, 0xFFFFE000, 0x1000, 1, 0);
    section(kTempMem, 0, 0, 0x80B000, 0x2000, 3, 0);
    section(kTdHob, 0, 0, 0x809000, 0x2000, 2, 0);
  }

  template <typename T>
  TdvfImage& put(std::size_t offset, T value) {
    store_le<T>(std::span(bytes_), offset, value);
    return *this;
  }
  TdvfImage& put_bytes(std::size_t offset, std::initializer_list<int> values) {
    for (const int value : values) bytes_.at(offset++) = static_cast<std::byte>(value);
    return *this;
  }
  TdvfImage& data_offset(Section number, std::uint32_t value) { return put(field(number, 0), value); }
  TdvfImage& raw_size(Section number, std::uint32_t value) { return put(field(number, 4), value); }
  TdvfImage& address(Section number, std::uint64_t value) { return put(field(number, 8), value); }
  TdvfImage& memory_size(Section number, std::uint64_t value) { return put(field(number, 16), value); }
  TdvfImage& type(Section number, std::uint32_t value) { return put(field(number, 24), value); }
  TdvfImage& attributes(Section number, std::uint32_t value) { return put(field(number, 28), value); }

  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  static std::size_t field(Section number, std::size_t offset) { return kSections + number * 32 + offset; }
  void section(Section number, std::uint32_t offset, std::uint32_t raw, std::uint64_t gpa, std::uint64_t size,
               std::uint32_t type_number, std::uint32_t attribute_bits) {
    data_offset(number, offset).raw_size(number, raw).address(number, gpa).memory_size(number, size);
    type(number, type_number).attributes(number, attribute_bits);
  }

  std::vector<std::byte> bytes_;
};

}  // namespace virttdx::test
