// SPDX-License-Identifier: GPL-2.0-or-later
// The host that TDs run on: which one was chosen, and what it offers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "config/daemon_config.h"
#include "domain_xml/plan.h"
#include "support/result.h"
#include "vmm_backend/host_capabilities.h"

namespace virttdx::driver {

struct HostAccess {
  HostKind kind = HostKind::Kvm;
  std::filesystem::path monitor_binary;
  /// Recorded host that the software TDX host plays; empty: none.
  std::filesystem::path soft_profile;
  HostCapabilities capabilities;
  domain_xml::HostDescription description;
  /// Of virttdxd.conf; absent: this driver's own.
  std::optional<std::string> type;
  std::optional<std::uint64_t> version;
  bool require_launch_security = false;
  std::uint32_t quote_wait_ms = 200;  ///< TdConfig's of every TD
};

/// The monitor: VIRTTDX_VMM, else the build tree's beside this daemon, else the installed one.
Result<std::filesystem::path> find_monitor();

/// Asks the monitor what the host offers (some seconds at most) and reads what the machine is. A host without
/// TDX is a value that says why, not an error; so is a monitor that cannot tell.
HostAccess open_host(const DaemonConfig& config, const std::filesystem::path& monitor);

/// Reads cores, memory and NUMA cells from /sys and /proc.
domain_xml::HostDescription describe_machine(std::string emulator_path);

}  // namespace virttdx::driver
