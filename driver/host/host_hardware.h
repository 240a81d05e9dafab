// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>

#include "domain_xml/host_hardware.h"

namespace virttdx::driver {

/// Reads dies, caches, distances, the IOMMU and the microcode from /sys and /proc below `root`, and the pages
/// that there are now. What is not there is absent in the result.
domain_xml::HostHardware read_host_hardware(const std::filesystem::path& root);

/// That of this machine. Pages are counted anew each time, the rest is read once: it stays as it is.
domain_xml::HostHardware host_hardware();

}  // namespace virttdx::driver
