// SPDX-License-Identifier: GPL-2.0-or-later
// A storage daemon that serves one disk, from the outside: a process with privileges can start it for a
// monitor that is confined.
#pragma once

#include <memory>
#include <vector>

#include "backends/storage_daemon/daemon_process.h"
#include "support/result.h"
#include "support/unique_fd.h"
#include "vmm_backend/device_config.h"

namespace virttdx {

/// The connections to it. What it says wrong is for who made them.
struct DaemonConnections {
  UniqueFd disk{};     ///< vhost-user
  UniqueFd monitor{};  ///< QMP
  UniqueFd
      life{};  ///< of who keeps the process, when that is another one: while it is open, the daemon is to run
};
/// As many as another process sends, in the order of the members.
inline constexpr std::size_t kDaemonConnections = 3;

struct StartedDaemon {
  DaemonConnections connections;  ///< without `life`
  std::unique_ptr<DaemonProcess> process;
};

/// It may still be opening the image, or have failed to. Errors name the disk: no program, no socket, a
/// secret that cannot be opened.
Result<StartedDaemon> start_storage_daemon(const DiskConfig& config);

/// Why the daemon did not serve the disk: its end, if it has ended, or `error`.
Error explain_failure(const DiskConfig& config, DaemonProcess& daemon, const Error& error);

/// What another process sent. InvalidArgument: not as many as there are.
Result<DaemonConnections> take_over_daemon(const DiskConfig& config, std::vector<UniqueFd> descriptors);

}  // namespace virttdx
