// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/command_line.h"

#include <array>
#include <charconv>
#include <string>

namespace virttdx::driver {
namespace {

using Words = std::span<const std::string_view>;

struct Option {
  std::string_view name;
  char letter;  ///< '\0': none
  bool has_value;
  Result<> (*set)(CommandLine&, std::string_view value);
};

Result<> set_timeout(CommandLine& line, std::string_view value) {
  const auto [end, error] =
      std::from_chars(value.data(), value.data() + value.size(), line.idle_timeout_seconds);
  if (error != std::errc() || end != value.data() + value.size())
    return fail(Error::Code::InvalidArgument, "--timeout '{}' is not a number of seconds", value);
  return {};
}

Result<> set_host(CommandLine& line, std::string_view value) {
  line.host = TRY(parse_host_choice(value));
  return {};
}

template <auto Member>
Result<> set_path(CommandLine& line, std::string_view value) {
  if (value.empty()) return fail(Error::Code::InvalidArgument, "it needs a path, not an empty word");
  line.*Member = value;
  return {};
}

template <auto Member>
Result<> set_flag(CommandLine& line, std::string_view) {
  line.*Member = true;
  return {};
}

constexpr std::array kOptions = {
    Option{"--host", '\0', true, set_host},
    Option{"--config", 'f', true, set_path<&CommandLine::config_file>},
    Option{"--root", '\0', true, set_path<&CommandLine::root>},
    Option{"--timeout", 't', true, set_timeout},
    Option{"--pid-file", 'p', true, set_path<&CommandLine::pid_file>},
    Option{"--daemon", 'd', false, set_flag<&CommandLine::background>},
    Option{"--verbose", 'v', false, set_flag<&CommandLine::verbose>},
    Option{"--help", 'h', false, set_flag<&CommandLine::help>},
    Option{"--version", 'V', false, set_flag<&CommandLine::version>},
};

template <typename Predicate>
Result<const Option*> find_option(Predicate is_it, std::string_view word) {
  for (const Option& option : kOptions)
    if (is_it(option)) return &option;
  return fail(Error::Code::InvalidArgument, "unknown option '{}'; --help lists them", word);
}

Result<> set(const Option& option, CommandLine& line, std::string_view value) {
  if (const auto set = option.set(line, value); !set)
    return tl::unexpected(Error(set.error()).with_context(option.name));
  return {};
}

// "--name", with its value behind '=' or in the next word. Returns how many words it took.
Result<std::size_t> parse_long(CommandLine& line, Words words) {
  const std::string_view word = words.front();
  const std::size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const bool joined = equals != std::string_view::npos;
  const Option* option = TRY(find_option([name](const Option& each) { return each.name == name; }, word));
  if (joined && !option->has_value) return fail(Error::Code::InvalidArgument, "{} takes no value", name);
  if (joined || !option->has_value) {
    TRY(set(*option, line, joined ? word.substr(equals + 1) : std::string_view()));
    return 1;
  }
  if (words.size() < 2) return fail(Error::Code::InvalidArgument, "{} needs a value", name);
  TRY(set(*option, line, words[1]));
  return 2;
}

// "-abc": options without a value, and at most one at the end whose value is the rest, or the next word.
Result<std::size_t> parse_short(CommandLine& line, Words words) {
  const std::string_view word = words.front();
  for (std::size_t at = 1; at < word.size(); ++at) {
    const char letter = word[at];
    const Option* option =
        TRY(find_option([letter](const Option& each) { return each.letter == letter; }, word));
    if (!option->has_value) {
      TRY(set(*option, line, {}));
      continue;
    }
    const std::string_view rest = word.substr(at + 1);
    if (rest.empty() && words.size() < 2)
      return fail(Error::Code::InvalidArgument, "-{} needs a value", letter);
    TRY(set(*option, line, rest.empty() ? words[1] : rest));
    return rest.empty() ? 2 : 1;
  }
  return 1;
}

Result<std::size_t> parse_one(CommandLine& line, Words words) {
  const std::string_view word = words.front();
  if (word.starts_with("--")) return parse_long(line, words);
  if (word.size() > 1 && word.front() == '-') return parse_short(line, words);
  return fail(Error::Code::InvalidArgument, "unexpected '{}': the daemon takes options only", word);
}

}  // namespace

Result<CommandLine> parse_command_line(std::span<const std::string_view> arguments) {
  CommandLine line;
  while (!arguments.empty() && !line.help && !line.version)
    arguments = arguments.subspan(TRY(parse_one(line, arguments)));
  return line;
}

std::string_view usage() {
  return "Usage: virttdxd [OPTION...]\n"
         "The libvirt daemon for Intel TDX guests: virsh -c tdx:///system\n"
         "  --host auto|kvm|soft  auto and kvm: TDs of this machine's KVM; soft: the software TDX host, "
         "which "
         "protects nothing\n"
         "  -f, --config FILE     instead of /etc/libvirt/virttdxd.conf\n"
         "  -t, --timeout SECONDS end after so long without client and running domain\n"
         "  -d, --daemon          go to the background when clients are served\n"
         "  -p, --pid-file FILE   write the process's number there too\n"
         "  -v, --verbose         log information also where virttdxd.conf wants less\n"
         "  --root DIR            all files below DIR; clients use "
         "tdx:///system?socket=DIR/run/libvirt/virttdxd-sock\n"
         "  -V, --version, -h, --help\n";
}

}  // namespace virttdx::driver
