// SPDX-License-Identifier: GPL-2.0-or-later
// What systemd does for the daemon that it starts: sockets that it listens on already, and being told how far
// the daemon is. Without systemd nothing happens here.
#pragma once

#include <filesystem>
#include <map>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx::driver {

/// Listening Unix sockets by the path that each is bound to.
using ActivatedSockets = std::map<std::filesystem::path, UniqueFd>;

/// Takes the sockets that were passed (sd_listen_fds(3)), and the environment variables that say so: no child
/// is to believe they are its own. Anything but a listening Unix stream socket with a path is an error.
Result<ActivatedSockets> take_activated_sockets();

/// Clients are served from now on.
void notify_ready();
/// The daemon ends.
void notify_stopping();

}  // namespace virttdx::driver
