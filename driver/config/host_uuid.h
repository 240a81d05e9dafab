// SPDX-License-Identifier: GPL-2.0-or-later
// The uuid that capabilities call the host by, where virttdxd.conf decides on it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/daemon_config.h"

namespace virttdx::driver {

/// In lower case and with dashes, from a form with or without them. InvalidData: no uuid, or one of equal
/// bytes, as boards have that were given none.
Result<std::string> parse_host_uuid(std::string_view text);

/// host_uuid, or what host_uuid_source names; nothing where that is the machine's own. Fails when the
/// installation has no id.
Result<std::optional<std::string>> configured_host_uuid(const DaemonConfig& config);

}  // namespace virttdx::driver
