// SPDX-License-Identifier: GPL-2.0-or-later
// What log_outputs and log_filters of libvirt's configuration files have in common: words between spaces,
// each with a level before it.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "support/log.h"
#include "support/result.h"

namespace virttdx::driver {

/// The level and its colon.
inline constexpr std::size_t kLogLevelSize = 2;

/// What "1:" to "4:" at the start of `text` stand for; nothing otherwise.
constexpr std::optional<log::Priority> parse_log_level(std::string_view text) {
  if (text.size() < kLogLevelSize || text[0] < '1' || text[0] > '4' || text[1] != ':') return std::nullopt;
  return static_cast<log::Priority>(text[0] - '0');
}

/// Every word by `parse_one`, which takes a string_view and gives a Result<T>.
template <typename T, typename ParseOne>
Result<std::vector<T>> parse_log_words(std::string_view text, ParseOne parse_one) {
  std::vector<T> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(TRY(parse_one(text.substr(0, end))));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace virttdx::driver
