// SPDX-License-Identifier: GPL-2.0-or-later
#include "values/codecs.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "values/base64.h"

namespace virttdx::domain_xml {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

template <typename T>
Result<T> number(std::string_view text, int base, T minimum, std::string_view expected) {
  const auto digits = trimmed(text);
  T value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size() || value < minimum)
    return fail(Error::Code::XmlInvalid, "expected {}", expected);
  return value;
}

Result<bool> either(std::string_view text, std::string_view true_word, std::string_view false_word) {
  if (text == true_word) return true;
  if (text == false_word) return false;
  return fail(Error::Code::XmlInvalid, "expected '{}' or '{}'", true_word, false_word);
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lowered;
}

bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// Inlined, g++ 12 takes 17 bytes for more than a moved string's object has (-Warray-bounds).
[[gnu::noinline]] bool is_mac_address(std::string_view text) {
  constexpr std::size_t kLength = 17;
  bool good = text.size() == kLength;
  for (std::size_t i = 0; good && i < kLength; ++i)
    good = i % 3 == 2 ? text[i] == ':' : is_hex_digit(text[i]);
  return good;
}

}  // namespace

Result<std::string> decode_word(std::string_view text, std::span<const std::string_view> words) {
  if (std::ranges::count(words, text) != 0) return std::string(text);
  return fail(Error::Code::XmlInvalid, "expected one of: {}", fmt::join(words, ", "));
}

Result<std::string> Text::decode(std::string_view text) { return std::string(text); }

Result<std::string> NonEmptyText::decode(std::string_view text) {
  if (trimmed(text).empty()) return fail(Error::Code::XmlInvalid, "expected some text");
  return std::string(text);
}

Result<std::string> AbsolutePath::decode(std::string_view text) {
  if (!text.starts_with('/')) return fail(Error::Code::XmlInvalid, "expected an absolute path");
  return std::string(text);
}

Result<std::string> Uuid::decode(std::string_view text) {
  std::string digits;
  for (const char c : lower(trimmed(text)))
    if (c != '-') digits += c;
  if (digits.size() != 32 || !std::ranges::all_of(digits, is_hex_digit))
    return fail(Error::Code::XmlInvalid, "expected a UUID of 32 hexadecimal digits");
  for (const std::size_t hyphen : {8U, 13U, 18U, 23U}) digits.insert(hyphen, 1, '-');
  return digits;
}

Result<std::string> DigestText::decode(std::string_view text) {
  const auto encoded = trimmed(text);
  const auto bytes = decode_base64(encoded);
  if (!bytes)
    return fail(Error::Code::XmlInvalid, "expected base64 of 48 bytes: {}", bytes.error().message());
  if (bytes->size() != 48)
    return fail(Error::Code::XmlInvalid, "expected base64 of exactly 48 bytes (64 characters), got {} bytes",
                bytes->size());
  return std::string(encoded);
}

Result<bool> YesNo::decode(std::string_view text) { return either(text, "yes", "no"); }
Result<bool> OnOff::decode(std::string_view text) { return either(text, "on", "off"); }

Result<bool> Presence::decode(std::string_view text) {
  if (!trimmed(text).empty()) return fail(Error::Code::XmlInvalid, "expected an empty element");
  return true;
}

Result<std::uint32_t> Number::decode(std::string_view text) {
  return number<std::uint32_t>(text, 10, 0, "a decimal number up to 4294967295");
}

Result<std::uint64_t> LargeNumber::decode(std::string_view text) {
  return number<std::uint64_t>(text, 10, 0, "a decimal number up to 18446744073709551615");
}

Result<std::uint32_t> Count::decode(std::string_view text) {
  return number<std::uint32_t>(text, 10, 1, "a decimal number from 1 to 4294967295");
}

Result<int> DomainId::decode(std::string_view text) {
  return number<int>(text, 10, 1, "a decimal number from 1 to 2147483647");
}

Result<std::uint64_t> Number64::decode(std::string_view text) {
  return number<std::uint64_t>(text, 10, 0, "a decimal number of at most 64 bits");
}

Result<std::uint32_t> decode_any_base(std::string_view text, std::uint32_t maximum) {
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  const auto expected = fmt::format("a number from 0 to {:#x}", maximum);
  const auto value =
      TRY(number<std::uint32_t>(hexadecimal ? text.substr(2) : text, hexadecimal ? 16 : 10, 0, expected));
  if (value > maximum) return fail(Error::Code::XmlInvalid, "expected {}", expected);
  return value;
}

Result<std::string> MacAddress::decode(std::string_view text) {
  std::string mac = lower(trimmed(text));
  if (!is_mac_address(mac))
    return fail(Error::Code::XmlInvalid, "expected a MAC address as 52:54:00:12:34:56");
  if (std::string_view("13579bdf").find(mac[1]) != std::string_view::npos)
    return fail(Error::Code::XmlInvalid, "expected a unicast MAC address (its first byte even)");
  return mac;
}

Result<std::string> WorldWideName::decode(std::string_view text) {
  constexpr std::size_t kDigits = 16;
  auto digits = text.starts_with("0x") ? text.substr(2) : text;
  if (digits.size() != kDigits || !std::ranges::all_of(lower(digits), is_hex_digit))
    return fail(Error::Code::XmlInvalid, "expected 16 hexadecimal digits");
  return std::string(text);
}

Result<std::string> OptionalUuid::decode(std::string_view text) {
  return trimmed(text).empty() ? std::string() : Uuid::decode(text);
}

Result<std::int64_t> SignedNumber::decode(std::string_view text) {
  return number<std::int64_t>(text, 10, std::numeric_limits<std::int64_t>::min(), "a decimal number");
}

Result<std::uint64_t> HexNumber::decode(std::string_view text) {
  auto digits = trimmed(text);
  if (digits.starts_with("0x") || digits.starts_with("0X")) digits.remove_prefix(2);
  return number<std::uint64_t>(digits, 16, 0, "a hexadecimal number of at most 64 bits, as 0x10000000");
}

}  // namespace virttdx::domain_xml
