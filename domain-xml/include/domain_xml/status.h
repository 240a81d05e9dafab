// SPDX-License-Identifier: GPL-2.0-or-later
// What the driver keeps of a running domain in its state directory: libvirt's <domstatus> document.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "domain_xml/domain.h"
#include "support/result.h"

namespace virttdx::domain_xml {

/// Numbers of virDomainState and its reasons, as libvirt's public header has them; written as libvirt's
/// names.
struct DomainStatus {
  int state = 0;
  int reason = 0;
  pid_t pid = 0;                     ///< 0: the monitor has not been started yet
  std::uint64_t pid_start_time = 0;  ///< /proc/PID/stat field 22: tells a reused pid
  std::string monitor_socket;
  std::vector<std::string> messages;  ///< virDomainGetMessages
  bool transient = false;
  /// The guest is held until its CPU has been found to be the one asked for, and runs then.
  bool resume_when_verified = false;
  Domain domain;  ///< live definition, with id
};

Result<DomainStatus> parse_status(std::string_view xml);
std::string format_status(const DomainStatus& status);

}  // namespace virttdx::domain_xml
