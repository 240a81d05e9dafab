// SPDX-License-Identifier: GPL-2.0-or-later
// virttdxd.conf: its keys, many of them those of libvirt's daemons.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/log_filters.h"
#include "config/log_outputs.h"
#include "support/result.h"

namespace virttdx::driver {

/// Whose KVM runs the TDs. Auto means the kernel's, and never the software TDX host.
enum class HostChoice { Auto, Kvm, Soft };

/// Of whoever could open a socket: nothing more, or polkit's consent.
enum class SocketAuthentication { None, Polkit };

/// Where the host's uuid is from when it is not written down.
enum class HostUuidSource { Smbios, MachineId };

struct DaemonConfig {
  HostChoice host = HostChoice::Auto;
  std::optional<std::filesystem::path> soft_host_profile;  ///< recorded host that the software TDX host plays
  std::optional<std::string> unix_sock_group;
  std::optional<mode_t> unix_sock_rw_perms;  ///< absent: read_write_mode()
  mode_t unix_sock_ro_perms = 0666;
  SocketAuthentication auth_unix_rw = SocketAuthentication::None;
  SocketAuthentication auth_unix_ro = SocketAuthentication::None;
  bool access_control = false;  ///< access_drivers has "polkit"
  unsigned max_clients = 5000;
  unsigned max_anonymous_clients = 20;  ///< 0: as many as max_clients
  unsigned max_queued_clients = 1000;
  unsigned admin_max_clients = 5;
  unsigned admin_max_queued_clients = 5;
  unsigned admin_max_client_requests = 5;
  mode_t unix_sock_admin_perms = 0700;
  std::optional<std::filesystem::path> unix_sock_dir;  ///< absent: where the lock is
  unsigned max_client_requests = 5;
  unsigned keepalive_interval = 5;  ///< seconds; 0: never
  unsigned keepalive_count = 5;
  unsigned admin_keepalive_interval = 5;
  unsigned admin_keepalive_count = 5;
  std::optional<std::string> host_uuid;
  HostUuidSource host_uuid_source = HostUuidSource::Smbios;
  unsigned monitor_timeout = 30;  ///< seconds
  unsigned quote_wait = 200;      ///< milliseconds
  log::Priority log_level = log::Priority::Info;
  /// What virConnectGetType and virConnectGetVersion answer; clients as OpenStack Nova expect "QEMU" and a
  /// version of QEMU (major * 1,000,000 + minor * 1,000 + release). Absent: "TDX" and our own version.
  std::optional<std::string> hypervisor_type;
  std::optional<std::uint64_t> hypervisor_version;
  /// Refuse definitions without <launchSecurity type='tdx'> instead of completing them.
  bool require_launch_security = false;
  std::vector<LogOutput> log_outputs;    ///< none: the default
  std::vector<log::Filter> log_filters;  ///< in place of log_level for what they match
  /// What is to be told as soon as there is a log: keys that nobody knows, or that do nothing here.
  std::vector<std::string> warnings;
};

/// Of virttdxd-sock: everybody may open it where polkit decides, its owner and group where nobody does.
mode_t read_write_mode(const DaemonConfig& config);

Result<HostChoice> parse_host_choice(std::string_view text);

/// Errors name `origin` and the line.
Result<DaemonConfig> parse_daemon_config(std::string_view text, std::string_view origin);

/// The defaults when the file does not exist and was not `required`.
Result<DaemonConfig> load_daemon_config(const std::filesystem::path& path, bool required);

}  // namespace virttdx::driver
