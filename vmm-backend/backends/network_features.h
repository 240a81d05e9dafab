// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "vmm_backend/device_config.h"

namespace virttdx {

/// VIRTIO_NET_F_... of what an interface is to be without, and of what cannot be without those.
std::uint64_t withheld_features(const std::vector<NetworkFeature>& without);

}  // namespace virttdx
