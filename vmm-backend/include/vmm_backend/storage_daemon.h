// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "vmm_backend/device_config.h"

namespace virttdx {

/// Whether qemu-storage-daemon serves the disk: other formats than raw, network protocols, LUKS, detection of
/// zeroes. What is left, the monitor does itself.
bool needs_storage_daemon(const DiskConfig& config);

}  // namespace virttdx
