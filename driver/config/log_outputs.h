// SPDX-License-Identifier: GPL-2.0-or-later
// Where the daemon's log goes, as libvirt's daemons write it: "LEVEL:stderr", "LEVEL:file:/PATH",
// "LEVEL:syslog:NAME", "LEVEL:journald", several between spaces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "support/log.h"
#include "support/result.h"

namespace virttdx::driver {

enum class LogDestination : std::uint8_t { Stderr, File, Syslog, Journald };

struct LogOutput {
  log::Priority priority = log::Priority::Debug;  ///< messages below it do not go there
  LogDestination destination = LogDestination::Stderr;
  std::string target;  ///< File: an absolute path. Syslog: the name before each message
  bool operator==(const LogOutput&) const = default;
};

/// InvalidArgument names the output that is none.
Result<std::vector<LogOutput>> parse_log_outputs(std::string_view text);
std::string format_log_outputs(const std::vector<LogOutput>& outputs);

/// Sends the log there from now on, for the whole process; none: to the default. On an error nothing changes:
/// System (a file cannot be opened). Event loop's thread only.
Result<> use_log_outputs(std::vector<LogOutput> outputs);
std::vector<LogOutput> current_log_outputs();
/// Standard error until it is set.
void set_default_log_output(LogOutput output);

}  // namespace virttdx::driver
