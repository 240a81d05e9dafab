// SPDX-License-Identifier: GPL-2.0-or-later
// How values are spelled in XML: each codec has decode(text) -> Result and encode(value) -> text. A decode
// error says what would have been right; the caller adds where.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "support/result.h"

namespace virttdx::domain_xml {

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

struct SignedNumber {
  static Result<std::int64_t> decode(std::string_view text);
  static std::string encode(std::int64_t value) { return std::to_string(value); }
};

/// Hexadecimal with or without 0x; written as 0x%x.
struct HexNumber {
  static Result<std::uint64_t> decode(std::string_view text);
  static std::string encode(std::uint64_t value) { return fmt::format("{:#x}", value); }
};

/// One word out of a list (an array of string_view).
template <const auto& kWords>
struct Word {
  static Result<std::string> decode(std::string_view text) {
    for (const std::string_view word : kWords)
      if (word == text) return std::string(text);
    return fail(Error::Code::XmlInvalid, "expected one of: {}", fmt::join(kWords, ", "));
  }
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
