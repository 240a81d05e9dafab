// SPDX-License-Identifier: GPL-2.0-or-later
// Media of CD-ROM drives of a TD that runs.
#pragma once

#include <string_view>

#include "domain_xml/domain.h"
#include "domain_xml/plan.h"

namespace virttdx::domain_xml {

/// What a disk of a running domain becomes by an update.
struct UpdatedDisk {
  Disk disk;                      ///< by its target and alias one of the domain's
  bool has_other_medium = false;  ///< else nothing is to be done with its drive
};

/// A CD-ROM drive gets what `wanted` has as its source, or nothing; startupPolicy of any disk can be changed.
/// Errors, in libvirt's words: Internal (no disk has the target), PermissionDenied (another alias),
/// Unsupported (another change), ConfigUnsupported (another source, and no drive).
Result<UpdatedDisk> update_disk(const Domain& live, const Disk& wanted);

/// What the monitor is told of the drive with that medium. `resources`: its volume and secrets, where it has
/// some. Errors: those of a plan.
Result<DiskConfig> plan_medium(const Domain& live, const Disk& disk, const HostCapabilities& host,
                               const RunResources& resources);

/// Of a domain, with this disk alone.
Domain with_disk_alone(const Domain& domain, const Disk& disk);

}  // namespace virttdx::domain_xml
