// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/daemon_config.h"

#include <array>
#include <charconv>
#include <variant>

#include "support/file.h"

namespace virttdx::driver {
namespace {

constexpr std::size_t kFileMaximum = 1 << 20;

using Value = std::variant<std::string, unsigned>;

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

Result<Value> parse_value(std::string_view text) {
  if (!text.empty() && (text.front() == '"' || text.front() == '\'')) {
    const std::size_t end = text.find(text.front(), 1);
    if (end == std::string_view::npos) return fail(Error::Code::InvalidData, "the string is not closed");
    TRY(expect_end(text.substr(end + 1)));
    return std::string(text.substr(1, end - 1));
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
