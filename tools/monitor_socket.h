// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <QString>
#include <filesystem>

#include "command.h"
#include "support/result.h"
#include "vmm_backend/control_client.h"

namespace virttdx::tools {

/// Where the monitor of `domain` listens: NAME.monitor in the directory "tdx" beside the daemon's socket.
/// `uri` is a libvirt URI of the daemon: tdx:///system, tdx:///session, either with ?socket=PATH. The
/// domain's monitor is asked itself, so this works on the daemon's machine only, and without the daemon too.
Result<std::filesystem::path> monitor_socket_of(const QString& domain, const QString& uri);

/// The options --connect, --run-directory and --monitor, which say with the argument DOMAIN whose monitor is
/// meant.
void add_monitor_options(CommandLine& line);
/// Connects to it. Errors: InvalidArgument when not exactly one of DOMAIN and --monitor is given; NotFound
/// when no TD runs there; those of ControlClient::connect().
Result<ControlClient> connect_monitor(const CommandLine& line);

}  // namespace virttdx::tools
