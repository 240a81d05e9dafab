// SPDX-License-Identifier: GPL-2.0-or-later
#include "firmware/acpi/aml.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <limits>

#include "firmware/acpi/aml_spec.h"
#include "support/result.h"

namespace virttdx::aml {

using namespace aml_spec;

namespace {

constexpr std::size_t kNameLength = 4;

Bytes bytes_of(std::uint64_t value, std::size_t count) {
  Bytes bytes;
  for (std::size_t i = 0; i < count; ++i) bytes.push_back(static_cast<std::byte>(value >> (8 * i)));
  return bytes;
}

Bytes byte(unsigned value) { return {static_cast<std::byte>(value)}; }

// 20.2.4: the length counts its own bytes.
Bytes with_length(const Bytes& content) {
  std::size_t extra = 0;
  while (extra < 3 && content.size() + 1 + extra >= (extra == 0 ? 64U : 1U << (4 + 8 * extra))) ++extra;
  const std::size_t length = content.size() + 1 + extra;
  CHECK(length < 1U << 28);
  if (extra == 0) return join({byte(static_cast<unsigned>(length)), content});
  return join(
      {byte(static_cast<unsigned>(extra << 6 | (length & 0xF))), bytes_of(length >> 4, extra), content});
}

Bytes block(unsigned opcode, const Bytes& content) { return join({byte(opcode), with_length(content)}); }

// A name is filled up with underscores.
Bytes segment(std::string_view text) {
  CHECK(!text.empty() && text.size() <= kNameLength);
  Bytes bytes(kNameLength, std::byte{'_'});
  std::ranges::transform(text, bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

unsigned hex_digit(char c) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto found = kDigits.find(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  CHECK(found != std::string_view::npos);
  return static_cast<unsigned>(found);
}

}  // namespace

Bytes join(std::span<const Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Bytes path(std::string_view text) {
  Bytes bytes;
  if (text.starts_with(kRootCharacter)) {
    bytes = byte(static_cast<unsigned char>(kRootCharacter));
    text.remove_prefix(1);
  }
  std::vector<Bytes> segments;
  while (!text.empty()) {
    const auto dot = std::min(text.find('.'), text.size());
    segments.push_back(segment(text.substr(0, dot)));
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  const auto count = static_cast<unsigned>(segments.size());
  CHECK(count <= 255);
  const Bytes prefix = count == 0   ? byte(0)
                       : count == 1 ? Bytes{}
                       : count == 2 ? byte(kDualNamePrefix)
                                    : join({byte(kMultiNamePrefix), byte(count)});
  return join({bytes, prefix, join(segments)});
}

Bytes integer(std::uint64_t value) {
  if (value <= 1) return byte(static_cast<unsigned>(value));
  if (value <= std::numeric_limits<std::uint8_t>::max()) return join({byte(kBytePrefix), bytes_of(value, 1)});
  if (value <= std::numeric_limits<std::uint16_t>::max())
    return join({byte(kWordPrefix), bytes_of(value, 2)});
  if (value <= std::numeric_limits<std::uint32_t>::max())
    return join({byte(kDwordPrefix), bytes_of(value, 4)});
  return join({byte(kQwordPrefix), bytes_of(value, 8)});
}

Bytes string(std::string_view text) {
  Bytes bytes = byte(kStringPrefix);
  std::ranges::transform(text, std::back_inserter(bytes), [](char c) { return static_cast<std::byte>(c); });
  bytes.push_back(std::byte{0});
  return bytes;
}

// 19.6.33: three letters of 5 bits, four digits of 4, big-endian.
Bytes eisa_id(std::string_view id) {
  CHECK(id.size() == 7);
  std::uint32_t packed = 0;
  for (const char letter : id.substr(0, 3))
    packed = packed << 5 | (static_cast<std::uint32_t>(letter) & 0x1F);
  for (const char digit : id.substr(3)) packed = packed << 4 | hex_digit(digit);
  return join({byte(kDwordPrefix), bytes_of(__builtin_bswap32(packed), 4)});
}

Bytes buffer(const Bytes& content) { return block(kBuffer, join({integer(content.size()), content})); }

// 19.6.142: the first three fields are little-endian.
Bytes uuid(std::string_view text) {
  constexpr std::array<std::size_t, 16> kTextPositions = {6,  4,  2,  0,  11, 9,  16, 14,
                                                          19, 21, 24, 26, 28, 30, 32, 34};
  CHECK(text.size() == 36);
  Bytes bytes;
  for (const std::size_t at : kTextPositions)
    bytes.push_back(static_cast<std::byte>(hex_digit(text[at]) << 4 | hex_digit(text[at + 1])));
  return buffer(bytes);
}

Bytes package(std::span<const Bytes> elements) {
  CHECK(elements.size() <= 255);
  return block(kPackage, join({byte(static_cast<unsigned>(elements.size())), join(elements)}));
}

Bytes name(std::string_view where, const Bytes& value) { return join({byte(kName), path(where), value}); }

Bytes scope(std::string_view where, const Bytes& body) { return block(kScope, join({path(where), body})); }

Bytes device(std::string_view where, const Bytes& body) {
  return join({byte(kExtendedPrefix), block(kDevice, join({path(where), body}))});
}

Bytes method(std::string_view where, unsigned arguments, const Bytes& body) {
  CHECK(arguments <= 7);
  return block(kMethod, join({path(where), byte(arguments | kMethodSerialized), body}));
}

Bytes argument(unsigned number) {
  CHECK(number <= 6);
  return byte(kArgument0 + number);
}

Bytes dword_field(const Bytes& source, unsigned offset, std::string_view field) {
  return join({byte(kCreateDwordField), source, integer(offset), path(field)});
}

Bytes equal(const Bytes& left, const Bytes& right) { return join({byte(kLogicalEqual), left, right}); }

Bytes logical_not(const Bytes& operand) { return join({byte(kLogicalNot), operand}); }

Bytes masked(std::string_view operand, std::uint64_t mask) {
  constexpr unsigned kNowhere = 0;
  return join({byte(kAnd), path(operand), integer(mask), byte(kNowhere)});
}

Bytes and_into(std::string_view target, std::uint64_t value) {
  return join({byte(kAnd), path(target), integer(value), path(target)});
}

Bytes or_into(std::string_view target, std::uint64_t value) {
  return join({byte(kOr), path(target), integer(value), path(target)});
}

Bytes if_then(const Bytes& condition, const Bytes& body) { return block(kIf, join({condition, body})); }

Bytes otherwise(const Bytes& body) { return block(kElse, body); }

Bytes give(const Bytes& value) { return join({byte(kReturn), value}); }

}  // namespace virttdx::aml
