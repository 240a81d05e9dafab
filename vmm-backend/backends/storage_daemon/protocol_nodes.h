// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "support/result.h"
#include "vmm_backend/device_config.h"

namespace virttdx {

/// Ids of the daemon's objects, one of each for a disk.
inline constexpr auto kAccessSecret = "access";
inline constexpr auto kLuksSecret = "luks";
inline constexpr auto kCookiesSecret = "cookies";
inline constexpr auto kTlsCredentials = "tls";

/// QEMU's BlockdevOptions (qapi/block-core.json) of where the image's bytes are, without node name and what
/// every driver has. Errors name the disk.
Result<nlohmann::json> protocol_node(const DiskConfig& config);

}  // namespace virttdx
