// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include <QCoreApplication>
#include <cstdio>

namespace virttdx::tools {

CommandLine::CommandLine(const char* description) {
  parser_.setApplicationDescription(description);
  parser_.addOption({{"h", "help"}, "Print this and exit."});
  parser_.addOption({"json", "Print JSON instead of text."});
}

void CommandLine::add_argument(const char* name, const char* description) {
  parser_.addPositionalArgument(name, description, name);
}

void CommandLine::add_option(const char* name, const char* value, const char* description) {
  parser_.addOption({name, description, value});
}

void CommandLine::add_flag(const char* name, const char* description) {
  parser_.addOption({name, description});
}

Result<bool> CommandLine::parse(const QStringList& words, qsizetype minimum, qsizetype maximum) {
  if (!parser_.parse(words)) {
    auto text = parser_.errorText();
    if (text.endsWith('.')) text.chop(1);
    return fail(Error::Code::InvalidArgument, "{}; see '{} --help'", text.toStdString(),
                words.value(0).toStdString());
  }
  if (parser_.isSet("help")) {
    // Qt names the program as it was started; the sub-command belongs to its name here.
    print(parser_.helpText().replace(QCoreApplication::arguments().value(0), words.value(0)).toStdString());
    return false;
  }
  const auto count = parser_.positionalArguments().size();
  if (count < minimum || count > maximum)
    return fail(Error::Code::InvalidArgument, "{} arguments given, {} to {} expected; see '{} --help'", count,
                minimum, maximum, words.value(0).toStdString());
  return true;
}

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_json(const nlohmann::json& json) {
  print(json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  return text;
}

std::string hex_text(const Measurement& digest) {
  std::string text;
  for (const auto byte : digest) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return text;
}

std::string hex_text(std::uint64_t number) { return fmt::format("{:#x}", number); }

}  // namespace virttdx::tools
