// SPDX-License-Identifier: GPL-2.0-or-later
// A process that opens something for a monitor, which is confined: of the same program, with the privileges
// that the monitor began with.
#pragma once

#include <chrono>
#include <filesystem>
#include <string_view>

#include "support/result.h"
#include "vmm_backend/control_client.h"

namespace virttdx {

/// A monitor answers at once, unless it launches or is stuck.
inline constexpr std::chrono::seconds kMonitorPatience{30};
/// Bytes of a device's configuration.
inline constexpr std::size_t kDeviceConfigMaximum = 1 << 16;

/// A connection to the monitor, whose control group this process has joined where it may: what is started for
/// a TD is counted, limited and ended with it.
Result<ControlClient> join_monitor(const std::filesystem::path& control_socket);

/// Gives it a device, or a medium: `arguments` of that command (device-add, medium-offer), and what came
/// open.
Result<> give(ControlClient& monitor, std::string_view command, const nlohmann::json& arguments,
              std::vector<UniqueFd> descriptors);

}  // namespace virttdx
