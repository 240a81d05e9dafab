// SPDX-License-Identifier: GPL-2.0-or-later
// A storage daemon's disk for a TD that runs. Its monitor is confined and cannot start one; a process of the
// same program, with the privileges that the monitor began with, does, and stays as the daemon's parent.
#pragma once

#include <filesystem>
#include <string_view>

#include "support/result.h"

namespace virttdx {

/// Starts a storage daemon for the disk (a DiskConfig as JSON), in the control group of the monitor that
/// serves `control_socket`, and gives its connections to that monitor: device-add, or medium-offer to a
/// CD-ROM drive. Returns when the disk is in its slot, or open; a child of this process then keeps the
/// daemon until the monitor lets the disk go or ends. Call it before any thread. Errors: those of the
/// configuration, InvalidArgument for a disk that needs no storage daemon, those of the daemon and of the
/// monitor.
Result<> open_disk_for_monitor(std::string_view json, const std::filesystem::path& control_socket);

}  // namespace virttdx
