// SPDX-License-Identifier: GPL-2.0-or-later
// The host side of an interface for a TD that runs. Its monitor is confined and cannot open one; a process of
// the same program, with the privileges that the monitor began with, does.
#pragma once

#include <filesystem>
#include <string_view>

#include "support/result.h"

namespace virttdx {

/// Opens what the interface (a NetworkInterfaceConfig as JSON) has of the host, in the control group of the
/// monitor that serves `control_socket`, and gives it to that monitor (device-add). Errors: those of the
/// configuration, of open_host_side(), of the monitor.
Result<> open_interface_for_monitor(std::string_view json, const std::filesystem::path& control_socket);

}  // namespace virttdx
