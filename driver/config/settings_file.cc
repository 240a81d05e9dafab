// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/settings_file.h"

#include <algorithm>
#include <charconv>

namespace virttdx::driver {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kLineEnds = "\n\r";
constexpr std::string_view kTripleQuote = "\"\"\"";

bool is_one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  int line() const { return line_; }
  Result<std::vector<Setting>> settings();

 private:
  // NUL at the end of the text, which no rule takes.
  char next() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool at_end() const { return rest_.empty(); }
  void skip(std::size_t count);
  void skip_blanks() { skip(std::min(rest_.find_first_not_of(kBlanks), rest_.size())); }
  void skip_blanks_and_lines() { skip(std::min(rest_.find_first_not_of(" \t\n\r"), rest_.size())); }
  void skip_comment();
  /// As far as the line goes, for messages.
  std::string_view line_left() const { return rest_.substr(0, rest_.find_first_of(kLineEnds)); }

  Result<std::string> name();
  Result<std::string> text();
  Result<std::int64_t> number();
  Result<SettingAtom> atom();
  Result<std::vector<SettingAtom>> list();
  Result<SettingValue> value();
  Result<> separator();

  std::string_view rest_;
  int line_ = 1;
};

void Parser::skip(std::size_t count) {
  line_ +=
      static_cast<int>(std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(count), '\n'));
  rest_.remove_prefix(count);
}

void Parser::skip_comment() {
  if (next() == '#') skip(line_left().size());
}

Result<std::string> Parser::name() {
  if (!is_letter(next()))
    return fail(Error::Code::InvalidData, "'{}' is not of the form key = value", line_left());
  const auto is_part = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
  const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_part);
  std::string name(rest_.begin(), end);
  skip(name.size());
  return name;
}

Result<std::string> Parser::text() {
  const bool over_lines = rest_.starts_with(kTripleQuote);
  const std::string_view quote = rest_.substr(0, over_lines ? kTripleQuote.size() : 1);
  const std::size_t end = rest_.find(quote, quote.size());
  const std::size_t line_end = over_lines ? std::string_view::npos : rest_.find_first_of(kLineEnds);
  if (end == std::string_view::npos || end > line_end)
    return fail(Error::Code::InvalidData, "the string is not closed");
  std::string value(rest_.substr(quote.size(), end - quote.size()));
  skip(end + quote.size());
  return value;
}

Result<std::int64_t> Parser::number() {
  const std::string_view digits = rest_.substr(next() == '+' ? 1 : 0);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range)
    return fail(Error::Code::InvalidData, "the number '{}' is too large", line_left());
  if (error != std::errc() || (digits.data() != rest_.data() && digits.front() == '-'))
    return fail(Error::Code::InvalidData, "'{}' is neither a number nor a string in quotes nor a list",
                line_left());
  skip(static_cast<std::size_t>(end - rest_.data()));
  return value;
}

Result<SettingAtom> Parser::atom() {
  if (is_one_of(next(), "\"'")) return TRY(text());
  return TRY(number());
}

Result<std::vector<SettingAtom>> Parser::list() {
  std::vector<SettingAtom> values;
  const int first_line = line_;
  skip(1);
  skip_blanks_and_lines();
  while (!at_end() && next() != ']') {
    if (next() == '[') return fail(Error::Code::InvalidData, "a list has strings and numbers, not lists");
    values.push_back(TRY(atom()));
    skip_blanks_and_lines();
    if (next() == ']') break;
    if (!at_end() && next() != ',')
      return fail(Error::Code::InvalidData, "expecting a ',' or ']' in the list, not '{}'", line_left());
    skip(at_end() ? 0 : 1);
    skip_blanks_and_lines();
  }
  if (at_end()) {
    line_ = first_line;
    return fail(Error::Code::InvalidData, "the list is not closed with ]");
  }
  skip(1);
  return values;
}

Result<SettingValue> Parser::value() {
  if (next() == '[') return TRY(list());
  if (is_one_of(next(), "\"'")) return TRY(text());
  return TRY(number());
}

// What follows a value.
Result<> Parser::separator() {
  skip_blanks();
  skip_comment();
  if (at_end() || is_one_of(next(), kLineEnds)) return {};
  if (next() != ';') return fail(Error::Code::InvalidData, "unexpected '{}' after the value", line_left());
  skip(1);
  return {};
}

Result<std::vector<Setting>> Parser::settings() {
  std::vector<Setting> settings;
  for (skip_blanks_and_lines(); !at_end(); skip_blanks_and_lines()) {
    if (next() == '#') {
      skip_comment();
      continue;
    }
    Setting setting;
    setting.line = line_;
    setting.name = TRY(name());
    skip_blanks();
    if (next() != '=')
      return fail(Error::Code::InvalidData, "'{}{}' is not of the form key = value", setting.name,
                  line_left());
    skip(1);
    skip_blanks();
    const auto value = this->value();
    if (!value) return tl::unexpected(Error(value.error()).with_context(setting.name));
    setting.value = *value;
    TRY(separator());
    settings.push_back(std::move(setting));
  }
  return settings;
}

}  // namespace

Result<std::vector<Setting>> parse_settings(std::string_view text, std::string_view origin) {
  Parser parser(text);
  auto settings = parser.settings();
  if (settings) return settings;
  return tl::unexpected(Error(settings.error()).with_context(fmt::format("{}:{}", origin, parser.line())));
}

}  // namespace virttdx::driver
