// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/command_line.h"

#include <array>
#include <charconv>
#include <string>

namespace virttdx::driver {
namespace {

struct Option {
  std::string_view name;
  Result<> (*set)(CommandLine&, std::string_view);
};

Result<> set_timeout(CommandLine& line, std::string_view value) {
  const auto [end, error] =
      std::from_chars(value.data(), value.data() + value.size(), line.idle_timeout_seconds);
  if (error != std::errc() || end != value.data() + value.size())
    return fail(Error::Code::InvalidArgument, "--timeout '{}' is not a number of seconds", value);
  return {};
}

constexpr std::array kOptions = {
    Option{"--host",
           [](CommandLine& line, std::string_view value) -> Result<> {
             line.host = TRY(parse_host_choice(value));
             return {};
           }},
    Option{"--config",
           [](CommandLine& line, std::string_view value) -> Result<> {
             line.config_file = value;
             return {};
           }},
    Option{"--root",
           [](CommandLine& line, std::string_view value) -> Result<> {
             if (value.empty()) return fail(Error::Code::InvalidArgument, "--root needs a directory");
             line.root = value;
             return {};
           }},
    Option{"--timeout", set_timeout},
};

// Consumes one option, with its value when that is the next word.
Result<std::size_t> parse_one(CommandLine& line, std::span<const std::string_view> words) {
  const std::string_view word = words.front();
  if (word == "--help" || word == "-h") line.help = true;
  if (word == "--version" || word == "-V") line.version = true;
  if (line.help || line.version) return 1;
  const std::size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  for (const Option& option : kOptions) {
    if (option.name != name) continue;
    const bool joined = equals != std::string_view::npos;
    if (!joined && words.size() < 2) return fail(Error::Code::InvalidArgument, "{} needs a value", name);
    TRY(option.set(line, joined ? word.substr(equals + 1) : words[1]));
    return joined ? 1 : 2;
  }
  return fail(Error::Code::InvalidArgument, "unknown option '{}'; --help lists them", word);
}

}  // namespace

Result<CommandLine> parse_command_line(std::span<const std::string_view> arguments) {
  CommandLine line;
  while (!arguments.empty() && !line.help && !line.version)
    arguments = arguments.subspan(TRY(parse_one(line, arguments)));
  return line;
}

std::string_view usage() {
  return "Usage: virttdxd [--host auto|kvm|soft] [--config FILE] [--root DIR] [--timeout SECONDS]\n"
         "The libvirt daemon for Intel TDX guests: virsh -c tdx:///system\n"
         "  --host      auto and kvm: TDs of this machine's KVM; soft: the software TDX host, which protects "
         "nothing\n"
         "  --config    instead of /etc/libvirt/virttdxd.conf\n"
         "  --root      all files below DIR; clients use tdx:///system?socket=DIR/run/libvirt/virttdxd-sock\n"
         "  --timeout   end after so many seconds without client and running domain\n"
         "  --version, --help\n";
}

}  // namespace virttdx::driver
