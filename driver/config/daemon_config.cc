// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/daemon_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <variant>

#include "support/file.h"

namespace virttdx::driver {
namespace {

constexpr std::size_t kFileMaximum = 1 << 20;

using Strings = std::vector<std::string>;
using Value = std::variant<std::string, unsigned, Strings>;

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

Result<> expect_end(std::string_view rest) {
  rest = trim(rest);
  if (rest.empty() || rest.front() == '#') return {};
  return fail(Error::Code::InvalidData, "unexpected '{}' after the value", rest);
}

bool is_quote(std::string_view text) { return text.starts_with('"') || text.starts_with('\''); }

// Takes a string in quotes off the front.
Result<std::string> take_string(std::string_view& text) {
  const std::size_t end = text.find(text.front(), 1);
  if (end == std::string_view::npos) return fail(Error::Code::InvalidData, "the string is not closed");
  std::string value(text.substr(1, end - 1));
  text = trim(text.substr(end + 1));
  return value;
}

// [ "a", "b" ], with a comma behind the last or not.
Result<Strings> take_list(std::string_view& text) {
  Strings values;
  text = trim(text.substr(1));
  while (is_quote(text)) {
    values.push_back(TRY(take_string(text)));
    if (!text.starts_with(',')) break;
    text = trim(text.substr(1));
  }
  if (!text.starts_with(']'))
    return fail(Error::Code::InvalidData,
                "the list is not closed on its line, or has something else than strings");
  text = trim(text.substr(1));
  return values;
}

Result<Value> parse_value(std::string_view text) {
  if (is_quote(text)) {
    auto value = TRY(take_string(text));
    TRY(expect_end(text));
    return value;
  }
  if (text.starts_with('[')) {
    auto values = TRY(take_list(text));
    TRY(expect_end(text));
    return values;
  }
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc())
    return fail(Error::Code::InvalidData, "'{}' is neither a number nor a string in quotes", text);
  TRY(expect_end(text.substr(static_cast<std::size_t>(end - text.data()))));
  return number;
}

Result<std::string> as_string(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return fail(Error::Code::InvalidData, "needs a string in quotes");
}

Result<unsigned> as_number(const Value& value, unsigned minimum, unsigned maximum) {
  const auto* number = std::get_if<unsigned>(&value);
  if (number == nullptr || *number < minimum || *number > maximum)
    return fail(Error::Code::InvalidData, "needs a number from {} to {}", minimum, maximum);
  return *number;
}

Result<SocketAuthentication> as_authentication(const Value& value) {
  const std::string text = TRY(as_string(value));
  if (text == "none") return SocketAuthentication::None;
  if (text == "polkit") return SocketAuthentication::Polkit;
  return fail(Error::Code::InvalidData, "'{}' is neither \"none\" nor \"polkit\"", text);
}

// "nop" is libvirt's driver that allows everything.
Result<bool> as_access_control(const Value& value) {
  const auto* drivers = std::get_if<Strings>(&value);
  if (drivers == nullptr) return fail(Error::Code::InvalidData, "needs a list, such as [ \"polkit\" ]");
  for (const auto& driver : *drivers)
    if (driver != "polkit" && driver != "nop")
      return fail(Error::Code::InvalidData, "there is no access driver '{}', only \"polkit\" and \"nop\"",
                  driver);
  return std::ranges::count(*drivers, "polkit") > 0;
}

Result<mode_t> as_mode(const Value& value) {
  const std::string text = TRY(as_string(value));
  mode_t mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error != std::errc() || end != text.data() + text.size() || mode > 0777)
    return fail(Error::Code::InvalidData, "needs an octal mode in quotes, such as \"0660\", not \"{}\"",
                text);
  return mode;
}

// "7.2.0" as libvirt counts versions: major * 1,000,000 + minor * 1,000 + release.
Result<std::uint64_t> as_version(const Value& value) {
  constexpr std::uint64_t kBase = 1000;
  const std::string text = TRY(as_string(value));
  std::uint64_t number = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (int part = 0; part < 3; ++part) {
    std::uint64_t digits = 0;
    const auto [next, error] = std::from_chars(at, end, digits);
    const bool last = part == 2;
    if (error != std::errc() || digits >= kBase || (last ? next != end : next == end || *next != '.'))
      return fail(Error::Code::InvalidData, "needs a version in quotes, such as \"7.2.0\", not \"{}\"", text);
    number = number * kBase + digits;
    at = last ? next : next + 1;
  }
  return number;
}

struct Key {
  std::string_view name;
  Result<> (*set)(DaemonConfig&, const Value&);
};

// Longest runs of clients and requests that make sense; far beyond what a host needs.
constexpr unsigned kCountMaximum = 1'000'000;

constexpr std::array kKeys = {
    Key{"host",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.host = TRY(parse_host_choice(TRY(as_string(value))));
          return {};
        }},
    Key{"unix_sock_group",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.unix_sock_group = TRY(as_string(value));
          return {};
        }},
    Key{"unix_sock_rw_perms",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.unix_sock_rw_perms = TRY(as_mode(value));
          return {};
        }},
    Key{"unix_sock_ro_perms",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.unix_sock_ro_perms = TRY(as_mode(value));
          return {};
        }},
    Key{"auth_unix_rw",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.auth_unix_rw = TRY(as_authentication(value));
          return {};
        }},
    Key{"auth_unix_ro",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.auth_unix_ro = TRY(as_authentication(value));
          return {};
        }},
    Key{"access_drivers",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.access_control = TRY(as_access_control(value));
          return {};
        }},
    Key{"max_clients",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.max_clients = TRY(as_number(value, 1, kCountMaximum));
          return {};
        }},
    Key{"max_anonymous_clients",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.max_anonymous_clients = TRY(as_number(value, 1, kCountMaximum));
          return {};
        }},
    Key{"admin_max_clients",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.admin_max_clients = TRY(as_number(value, 1, kCountMaximum));
          return {};
        }},
    Key{"admin_max_client_requests",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.admin_max_client_requests = TRY(as_number(value, 1, kCountMaximum));
          return {};
        }},
    Key{"unix_sock_admin_perms",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.unix_sock_admin_perms = TRY(as_mode(value));
          return {};
        }},
    Key{"log_outputs",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.log_outputs = TRY(parse_log_outputs(TRY(as_string(value))));
          return {};
        }},
    Key{"log_filters",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.log_filters = TRY(parse_log_filters(TRY(as_string(value))));
          return {};
        }},
    Key{"max_client_requests",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.max_client_requests = TRY(as_number(value, 1, kCountMaximum));
          return {};
        }},
    Key{"keepalive_interval",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.keepalive_interval = TRY(as_number(value, 0, 86400));
          return {};
        }},
    Key{"keepalive_count",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.keepalive_count = TRY(as_number(value, 0, 1000));
          return {};
        }},
    Key{"soft_host_profile",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.soft_host_profile = TRY(as_string(value));
          return {};
        }},
    Key{"hypervisor_type",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.hypervisor_type = TRY(as_string(value));
          return {};
        }},
    Key{"hypervisor_version",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.hypervisor_version = TRY(as_version(value));
          return {};
        }},
    Key{"require_launch_security",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.require_launch_security = TRY(as_number(value, 0, 1)) == 1;
          return {};
        }},
    Key{"monitor_timeout",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.monitor_timeout = TRY(as_number(value, 1, 3600));
          return {};
        }},
    Key{"quote_wait",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.quote_wait = TRY(as_number(value, 0, 10'000));
          return {};
        }},
    Key{"log_level",
        [](DaemonConfig& config, const Value& value) -> Result<> {
          config.log_level = static_cast<log::Priority>(TRY(as_number(value, 1, 4)));
          return {};
        }},
};

Result<> parse_line(DaemonConfig& config, std::string_view line) {
  line = trim(line);
  if (line.empty() || line.front() == '#') return {};
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos)
    return fail(Error::Code::InvalidData, "'{}' is not of the form key = value", line);
  const std::string_view name = trim(line.substr(0, equals));
  for (const Key& key : kKeys) {
    if (key.name != name) continue;
    const auto set = parse_value(trim(line.substr(equals + 1))).and_then([&](const Value& value) {
      return key.set(config, value);
    });
    if (!set) return tl::unexpected(Error(set.error()).with_context(name));
    return {};
  }
  return fail(Error::Code::InvalidData, "unknown key '{}'; virttdxd.conf(5) lists them", name);
}

}  // namespace

mode_t read_write_mode(const DaemonConfig& config) {
  return config.unix_sock_rw_perms.value_or(config.auth_unix_rw == SocketAuthentication::Polkit ? 0666
                                                                                                : 0660);
}

Result<HostChoice> parse_host_choice(std::string_view text) {
  if (text == "auto") return HostChoice::Auto;
  if (text == "kvm") return HostChoice::Kvm;
  if (text == "soft") return HostChoice::Soft;
  return fail(Error::Code::InvalidArgument, "host '{}' is not one of auto, kvm, soft", text);
}

Result<DaemonConfig> parse_daemon_config(std::string_view text, std::string_view origin) {
  DaemonConfig config;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (const auto parsed = parse_line(config, text.substr(0, end)); !parsed)
      return tl::unexpected(Error(parsed.error()).with_context(fmt::format("{}:{}", origin, number)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return config;
}

Result<DaemonConfig> load_daemon_config(const std::filesystem::path& path, bool required) {
  std::error_code error;
  if (!required && !std::filesystem::exists(path, error)) return DaemonConfig{};
  return parse_daemon_config(TRY(read_text_file(path, kFileMaximum)), path.native());
}

}  // namespace virttdx::driver
