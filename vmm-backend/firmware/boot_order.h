// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <vector>

#include "vmm_backend/device_config.h"

namespace virttdx {

/// fw_cfg file that tells the firmware what to boot from.
inline constexpr auto kBootOrderFile = "bootorder";

/// Its content: an Open Firmware device path a line for each disk and interface with a boot index, lowest
/// first, as QEMU writes them and edk2's QemuBootOrderLib reads them. Empty when none has one.
std::vector<std::byte> boot_order_file(const DeviceConfigs& devices);

}  // namespace virttdx
