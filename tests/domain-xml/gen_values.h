// SPDX-License-Identifier: GPL-2.0-or-later
// Values of any element. To be called inside rc::gen::exec().
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "domain_xml/domain.h"

namespace virttdx::domain_xml::test {

template <typename T>
std::optional<T> maybe(rc::Gen<T> gen) {
  return *rc::gen::arbitrary<bool>() ? std::optional<T>(*std::move(gen)) : std::nullopt;
}

inline std::optional<bool> maybe_flag() { return maybe(rc::gen::arbitrary<bool>()); }

inline std::optional<std::string> maybe_word(std::initializer_list<std::string> words) {
  return maybe(rc::gen::elementOf(std::vector<std::string>(words)));
}

inline std::uint32_t count(std::uint32_t maximum) { return *rc::gen::inRange<std::uint32_t>(1, maximum + 1); }

// With everything that XML has a spelling for, and not blank: blank text reads as none.
inline std::string text() {
  const auto pieces =
      *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(std::vector<std::string>{
          "a", "Z", " ", "<", "&", ">", "'", "\"", "\n", "\t", "]]>", "\xC3\xA4", "\xE2\x82\xAC"}));
  std::string joined = "x";
  for (const auto& piece : pieces) joined += piece;
  return joined;
}

inline std::string path() { return "/" + text(); }
inline std::string name() {
  auto value = text();
  std::erase_if(value, [](char c) { return c == '\n'; });
  return value;
}
inline std::string digest() {
  std::string value;
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (int i = 0; i < 64; ++i) value += *rc::gen::elementOf(alphabet);
  return value;
}

template <typename Make>
auto maybe_made(Make make) {
  return *rc::gen::arbitrary<bool>() ? std::optional(make()) : std::nullopt;
}

inline std::optional<std::uint32_t> maybe_number(std::uint32_t minimum, std::uint32_t maximum) {
  return maybe(rc::gen::inRange<std::uint32_t>(minimum, maximum));
}
inline std::uint32_t number(std::uint32_t maximum) { return *rc::gen::inRange<std::uint32_t>(0, maximum); }

// In the order in which the reader sorts them.
inline std::vector<OtherElement> some_of(const std::vector<OtherElement>& all) {
  std::vector<OtherElement> chosen;
  for (const auto& other : all)
    if (*rc::gen::arbitrary<bool>()) chosen.push_back(other);
  return chosen;
}

}  // namespace virttdx::domain_xml::test
