// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/daemon_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <variant>

#include "config/host_uuid.h"
#include "config/settings_file.h"
#include "support/file.h"

namespace virttdx::driver {
namespace {

constexpr std::size_t kFileMaximum = 1 << 20;

Result<std::string> as_string(const SettingValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return fail(Error::Code::InvalidData, "needs a string in quotes");
}

template <unsigned Minimum, unsigned Maximum>
Result<unsigned> as_number(const SettingValue& value) {
  const auto* number = std::get_if<std::int64_t>(&value);
  if (number == nullptr || *number < Minimum || *number > Maximum)
    return fail(Error::Code::InvalidData, "needs a number from {} to {}", Minimum, Maximum);
  return static_cast<unsigned>(*number);
}

// Longest runs of clients and requests that make sense; far beyond what a host needs.
constexpr unsigned kCountMaximum = 1'000'000;
constexpr auto as_count = as_number<1, kCountMaximum>;
constexpr auto as_count_or_none = as_number<0, kCountMaximum>;

// Seconds; libvirt's -1 is never, as 0 is.
Result<unsigned> as_interval(const SettingValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value); number != nullptr && *number == -1) return 0U;
  return as_number<0, 86400>(value);
}

Result<bool> as_choice(const SettingValue& value) { return TRY((as_number<0, 1>(value))) == 1; }

Result<SocketAuthentication> as_authentication(const SettingValue& value) {
  const std::string text = TRY(as_string(value));
  if (text == "none") return SocketAuthentication::None;
  if (text == "polkit") return SocketAuthentication::Polkit;
  return fail(Error::Code::InvalidData, "'{}' is neither \"none\" nor \"polkit\"", text);
}

// "nop" is libvirt's driver that allows everything.
Result<bool> as_access_control(const SettingValue& value) {
  const auto* drivers = std::get_if<std::vector<SettingAtom>>(&value);
  if (drivers == nullptr)
    return fail(Error::Code::InvalidData, "needs a list of strings, such as [ \"polkit\" ]");
  bool polkit = false;
  for (const auto& atom : *drivers) {
    const auto* driver = std::get_if<std::string>(&atom);
    if (driver == nullptr) return fail(Error::Code::InvalidData, "needs a list of strings, and has a number");
    if (*driver != "polkit" && *driver != "nop")
      return fail(Error::Code::InvalidData, "there is no access driver '{}', only \"polkit\" and \"nop\"",
                  *driver);
    polkit = polkit || *driver == "polkit";
  }
  return polkit;
}

Result<mode_t> as_mode(const SettingValue& value) {
  const std::string text = TRY(as_string(value));
  mode_t mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error != std::errc() || end != text.data() + text.size() || mode > 0777)
    return fail(Error::Code::InvalidData, "needs an octal mode in quotes, such as \"0660\", not \"{}\"",
                text);
  return mode;
}

// "7.2.0" as libvirt counts versions: major * 1,000,000 + minor * 1,000 + release.
Result<std::uint64_t> as_version(const SettingValue& value) {
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

Result<HostChoice> as_host(const SettingValue& value) { return parse_host_choice(TRY(as_string(value))); }

Result<std::filesystem::path> as_directory(const SettingValue& value) {
  const std::string text = TRY(as_string(value));
  if (!text.starts_with('/')) return fail(Error::Code::InvalidData, "'{}' is not an absolute path", text);
  return text;
}

Result<log::Priority> as_log_level(const SettingValue& value) {
  return static_cast<log::Priority>(TRY((as_number<1, 4>(value))));
}

Result<std::vector<LogOutput>> as_log_outputs(const SettingValue& value) {
  return parse_log_outputs(TRY(as_string(value)));
}

Result<std::vector<log::Filter>> as_log_filters(const SettingValue& value) {
  return parse_log_filters(TRY(as_string(value)));
}

Result<std::string> as_host_uuid(const SettingValue& value) { return parse_host_uuid(TRY(as_string(value))); }

Result<HostUuidSource> as_host_uuid_source(const SettingValue& value) {
  const std::string text = TRY(as_string(value));
  if (text == "smbios") return HostUuidSource::Smbios;
  if (text == "machine-id") return HostUuidSource::MachineId;
  return fail(Error::Code::InvalidData, "'{}' is neither \"smbios\" nor \"machine-id\"", text);
}

// 2 is libvirt's for a host that must not go on without audit records.
Result<unsigned> as_audit_level(const SettingValue& value) {
  const unsigned level = TRY((as_number<0, 2>(value)));
  if (level == 2)
    return fail(Error::Code::InvalidData, "2 asks for audit records, and virttdxd writes none; use 0 or 1");
  return level;
}

using Set = Result<> (*)(DaemonConfig&, const SettingValue&);

template <auto Member, auto Read>
Result<> set(DaemonConfig& config, const SettingValue& value) {
  config.*Member = TRY(Read(value));
  return {};
}

template <auto Read>
Result<> check(DaemonConfig&, const SettingValue& value) {
  TRY(Read(value));
  return {};
}

struct Key {
  std::string_view name;
  Set set;
  std::string_view without_effect = {};  ///< why it does nothing here; empty: it does
};

constexpr std::string_view kOneThread = "the daemon has one thread, which never waits: there are no workers";
constexpr std::string_view kNoAudit = "virttdxd writes no audit records";
constexpr std::string_view kNoOvs = "virttdxd does not call ovs-vsctl";

constexpr std::array kKeys = {
    Key{"host", set<&DaemonConfig::host, as_host>},
    Key{"soft_host_profile", set<&DaemonConfig::soft_host_profile, as_string>},
    Key{"unix_sock_group", set<&DaemonConfig::unix_sock_group, as_string>},
    Key{"unix_sock_rw_perms", set<&DaemonConfig::unix_sock_rw_perms, as_mode>},
    Key{"unix_sock_ro_perms", set<&DaemonConfig::unix_sock_ro_perms, as_mode>},
    Key{"unix_sock_admin_perms", set<&DaemonConfig::unix_sock_admin_perms, as_mode>},
    Key{"unix_sock_dir", set<&DaemonConfig::unix_sock_dir, as_directory>},
    Key{"auth_unix_rw", set<&DaemonConfig::auth_unix_rw, as_authentication>},
    Key{"auth_unix_ro", set<&DaemonConfig::auth_unix_ro, as_authentication>},
    Key{"access_drivers", set<&DaemonConfig::access_control, as_access_control>},
    Key{"max_clients", set<&DaemonConfig::max_clients, as_count>},
    Key{"max_anonymous_clients", set<&DaemonConfig::max_anonymous_clients, as_count_or_none>},
    Key{"max_queued_clients", set<&DaemonConfig::max_queued_clients, as_count_or_none>},
    Key{"max_client_requests", set<&DaemonConfig::max_client_requests, as_count>},
    Key{"min_workers", check<as_count_or_none>, kOneThread},
    Key{"max_workers", check<as_count>, kOneThread},
    Key{"prio_workers", check<as_count_or_none>, kOneThread},
    Key{"admin_max_clients", set<&DaemonConfig::admin_max_clients, as_count>},
    Key{"admin_max_queued_clients", set<&DaemonConfig::admin_max_queued_clients, as_count_or_none>},
    Key{"admin_max_client_requests", set<&DaemonConfig::admin_max_client_requests, as_count>},
    Key{"admin_min_workers", check<as_count_or_none>, kOneThread},
    Key{"admin_max_workers", check<as_count>, kOneThread},
    Key{"keepalive_interval", set<&DaemonConfig::keepalive_interval, as_interval>},
    Key{"keepalive_count", set<&DaemonConfig::keepalive_count, as_number<0, 1000>>},
    Key{"admin_keepalive_interval", set<&DaemonConfig::admin_keepalive_interval, as_interval>},
    Key{"admin_keepalive_count", set<&DaemonConfig::admin_keepalive_count, as_number<0, 1000>>},
    Key{"host_uuid", set<&DaemonConfig::host_uuid, as_host_uuid>},
    Key{"host_uuid_source", set<&DaemonConfig::host_uuid_source, as_host_uuid_source>},
    Key{"hypervisor_type", set<&DaemonConfig::hypervisor_type, as_string>},
    Key{"hypervisor_version", set<&DaemonConfig::hypervisor_version, as_version>},
    Key{"require_launch_security", set<&DaemonConfig::require_launch_security, as_choice>},
    Key{"monitor_timeout", set<&DaemonConfig::monitor_timeout, as_number<1, 3600>>},
    Key{"quote_wait", set<&DaemonConfig::quote_wait, as_number<0, 10'000>>},
    Key{"log_level", set<&DaemonConfig::log_level, as_log_level>},
    Key{"log_filters", set<&DaemonConfig::log_filters, as_log_filters>},
    Key{"log_outputs", set<&DaemonConfig::log_outputs, as_log_outputs>},
    Key{"audit_level", check<as_audit_level>, kNoAudit},
    Key{"audit_logging", check<as_choice>, kNoAudit},
    Key{"ovs_timeout", check<as_count_or_none>, kNoOvs},
};

Result<> apply(DaemonConfig& config, const Setting& setting, std::string_view place) {
  const auto* key = std::find_if(kKeys.begin(), kKeys.end(),
                                 [&](const Key& candidate) { return candidate.name == setting.name; });
  if (key == kKeys.end()) {
    config.warnings.push_back(
        fmt::format("{}: unknown key '{}' is ignored; virttdxd.conf(5) lists the keys", place, setting.name));
    return {};
  }
  if (const auto set = key->set(config, setting.value); !set)
    return tl::unexpected(Error(set.error()).with_context(fmt::format("{}: {}", place, setting.name)));
  if (!key->without_effect.empty())
    config.warnings.push_back(
        fmt::format("{}: {} has no effect: {}", place, setting.name, key->without_effect));
  return {};
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

// Of a key that is there twice libvirt takes the first.
Result<DaemonConfig> parse_daemon_config(std::string_view text, std::string_view origin) {
  DaemonConfig config;
  std::map<std::string, int> first_lines;
  const auto settings = TRY(parse_settings(text, origin));
  for (const auto& setting : settings) {
    const std::string place = fmt::format("{}:{}", origin, setting.line);
    const auto [first, is_first] = first_lines.emplace(setting.name, setting.line);
    if (is_first) {
      TRY(apply(config, setting, place));
      continue;
    }
    config.warnings.push_back(
        fmt::format("{}: {} is ignored: line {} has it already", place, setting.name, first->second));
  }
  return config;
}

Result<DaemonConfig> load_daemon_config(const std::filesystem::path& path, bool required) {
  std::error_code error;
  if (!required && !std::filesystem::exists(path, error)) return DaemonConfig{};
  return parse_daemon_config(TRY(read_text_file(path, kFileMaximum)), path.native());
}

}  // namespace virttdx::driver
