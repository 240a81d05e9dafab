// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/log_filters.h"

#include "config/log_words.h"

namespace virttdx::driver {
namespace {

Result<log::Filter> parse_filter(std::string_view text) {
  const auto level = parse_log_level(text);
  std::string_view match = level ? text.substr(kLogLevelSize) : std::string_view();
  if (match.starts_with('+')) match.remove_prefix(1);
  if (match.empty())
    return fail(Error::Code::InvalidArgument, "log filter '{}' is not LEVEL:MATCH with LEVEL 1 to 4", text);
  return log::Filter{*level, std::string(match)};
}

// Of the process, as the log is.
std::vector<log::Filter>& filters_in_use() {
  static std::vector<log::Filter> filters;
  return filters;
}

}  // namespace

Result<std::vector<log::Filter>> parse_log_filters(std::string_view text) {
  return parse_log_words<log::Filter>(text, parse_filter);
}

std::string format_log_filters(const std::vector<log::Filter>& filters) {
  std::string text;
  for (const auto& filter : filters)
    text += fmt::format("{}{}:{}", text.empty() ? "" : " ", static_cast<int>(filter.priority), filter.match);
  return text;
}

void use_log_filters(std::vector<log::Filter> filters) {
  log::set_filters(filters);
  filters_in_use() = std::move(filters);
}

const std::vector<log::Filter>& current_log_filters() { return filters_in_use(); }

}  // namespace virttdx::driver
