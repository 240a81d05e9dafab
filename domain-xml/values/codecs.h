// SPDX-License-Identifier: GPL-2.0-or-later
// How values are spelled in XML: each codec has decode(text) -> Result and encode(value) -> text. A decode
// error says what would have been right; the caller adds where.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "support/result.h"

namespace virttdx::domain_xml {

/// `text` when it is one of `words`.
Result<std::string> decode_word(std::string_view text, std::span<const std::string_view> words);

struct Text {
  static Result<std::string> decode(std::string_view text);
  static std::string encode(const std::string& value) { return value; }
};

struct NonEmptyText {
  static Result<std::string> decode(std::string_view text);
  static std::string encode(const std::string& value) { return value; }
};

/// File names: absolute.
struct AbsolutePath {
  static Result<std::string> decode(std::string_view text);
  static std::string encode(const std::string& value) { return value; }
};

/// Any spelling of libvirt (with or without hyphens, upper case); written in lower case with hyphens.
struct Uuid {
  static Result<std::string> decode(std::string_view text);
  static std::string encode(const std::string& value) { return value; }
};

/// Base64 of exactly 48 bytes.
struct DigestText {
  static Result<std::string> decode(std::string_view text);
  static std::string encode(const std::string& value) { return value; }
};

struct YesNo {
  static Result<bool> decode(std::string_view text);
  static std::string encode(bool value) { return value ? "yes" : "no"; }
};

struct OnOff {
  static Result<bool> decode(std::string_view text);
  static std::string encode(bool value) { return value ? "on" : "off"; }
};

/// The element's presence.
struct Presence {
  static Result<bool> decode(std::string_view text);
  static std::string encode(bool) { return {}; }
};

/// Decimal.
struct Number {
  static Result<std::uint32_t> decode(std::string_view text);
  static std::string encode(std::uint32_t value) { return std::to_string(value); }
};

/// Decimal, 64 bits.
struct LargeNumber {
  static Result<std::uint64_t> decode(std::string_view text);
  static std::string encode(std::uint64_t value) { return std::to_string(value); }
};

/// Decimal, at least 1.
struct Count {
  static Result<std::uint32_t> decode(std::string_view text);
  static std::string encode(std::uint32_t value) { return std::to_string(value); }
};

/// Decimal, at least 1 and an int: libvirt's domain ids.
struct DomainId {
  static Result<int> decode(std::string_view text);
  static std::string encode(int value) { return std::to_string(value); }
};

/// Decimal, 64 bits.
struct Number64 {
  static Result<std::uint64_t> decode(std::string_view text);
  static std::string encode(std::uint64_t value) { return std::to_string(value); }
};

struct SignedNumber {
  static Result<std::int64_t> decode(std::string_view text);
  static std::string encode(std::int64_t value) { return std::to_string(value); }
};

/// Hexadecimal with or without 0x; written as 0x%x.
struct HexNumber {
  static Result<std::uint64_t> decode(std::string_view text);
  static std::string encode(std::uint64_t value) { return fmt::format("{:#x}", value); }
};

/// Parts of a PCI address: decimal or hexadecimal with 0x, written as libvirt writes each.
template <std::uint32_t kMaximum, int kDigits>
struct PciNumber {
  static Result<std::uint32_t> decode(std::string_view text);
  static std::string encode(std::uint32_t value) { return fmt::format("{:#0{}x}", value, kDigits + 2); }
};
Result<std::uint32_t> decode_any_base(std::string_view text, std::uint32_t maximum);
template <std::uint32_t kMaximum, int kDigits>
Result<std::uint32_t> PciNumber<kMaximum, kDigits>::decode(std::string_view text) {
  return decode_any_base(text, kMaximum);
}
using PciDomain = PciNumber<0xFFFF, 4>;
using PciBus = PciNumber<0xFF, 2>;
using PciSlot = PciNumber<0x1F, 2>;
using PciFunction = PciNumber<7, 1>;
using PciPort = PciNumber<0xFF, 1>;

/// Six bytes in hexadecimal with colons, unicast; written in lower case.
struct MacAddress {
  static Result<std::string> decode(std::string_view text);
  static std::string encode(const std::string& value) { return value; }
};

/// NAA name: 16 hexadecimal digits.
struct WorldWideName {
  static Result<std::string> decode(std::string_view text);
  static std::string encode(const std::string& value) { return value; }
};

/// A UUID, or nothing: one is made up.
struct OptionalUuid {
  static Result<std::string> decode(std::string_view text);
  static std::string encode(const std::string& value) { return value; }
};

/// A word in a template argument.
template <std::size_t kSize>
struct FixedWord {
  // NOLINTNEXTLINE(google-explicit-constructor): so that a literal is an argument.
  constexpr FixedWord(const char (&literal)[kSize]) { std::copy_n(literal, kSize, text.begin()); }
  constexpr std::string_view view() const { return {text.data(), kSize - 1}; }
  std::array<char, kSize> text{};
};
/// One of these words: OneOf<"yes", "no">.
template <FixedWord... kWords>
struct OneOf {
  static Result<std::string> decode(std::string_view text) {
    static constexpr std::array<std::string_view, sizeof...(kWords)> kList = {kWords.view()...};
    return decode_word(text, kList);
  }
  static std::string encode(const std::string& value) { return value; }
};

/// One word out of a list (an array of string_view).
template <const auto& kWords>
struct Word {
  static Result<std::string> decode(std::string_view text) { return decode_word(text, kWords); }
  static std::string encode(const std::string& value) { return value; }
};

/// An enumerator out of a table of names (an array of string_view, indexed by the enumerator).
template <typename Enum, const auto& kNames>
struct EnumName {
  static Result<Enum> decode(std::string_view text) {
    for (std::size_t i = 0; i < kNames.size(); ++i)
      if (kNames[i] == text) return static_cast<Enum>(i);
    return fail(Error::Code::XmlInvalid, "expected one of: {}", fmt::join(kNames, ", "));
  }
  static std::string encode(Enum value) { return std::string(kNames[static_cast<std::size_t>(value)]); }
};

}  // namespace virttdx::domain_xml
