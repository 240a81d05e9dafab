// SPDX-License-Identifier: GPL-2.0-or-later
// Disks of a TD that runs: given to it, taken from it.
#pragma once

#include <string>
#include <string_view>

#include "domain_xml/device_change.h"
#include "domain_xml/plan.h"

namespace virttdx::domain_xml {

/// What a live definition becomes with one more disk, and what the monitor is told of it.
struct PluggedDisk {
  Domain live;
  DiskConfig config;
};
/// `device` is a disk on bus virtio; it gets a free slot and an alias. Errors, beside those of
/// attach_device() and of a plan: Unsupported (another device), Internal in libvirt's words (no free slot).
Result<PluggedDisk> plug_disk(Domain live, DeviceElement device, const HostCapabilities& host,
                              const DefinitionDefaults& defaults);

/// Alias of the disk of a running domain that is meant, by target or by alias. NotFound: there is none;
/// Unsupported: another device, or a disk that cannot leave.
Result<std::string> plugged_alias(const Domain& live, const DeviceElement& device);
Result<std::string> plugged_alias(const Domain& live, std::string_view alias);

}  // namespace virttdx::domain_xml
