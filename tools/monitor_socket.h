// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <QString>
#include <filesystem>

#include "support/result.h"

namespace virttdx::tools {

/// Where the monitor of `domain` listens: NAME.monitor in the directory "tdx" beside the daemon's socket.
/// `uri` is a libvirt URI of the daemon: tdx:///system, tdx:///session, either with ?socket=PATH. The
/// domain's monitor is asked itself, so this works on the daemon's machine only, and without the daemon too.
Result<std::filesystem::path> monitor_socket_of(const QString& domain, const QString& uri);

}  // namespace virttdx::tools
