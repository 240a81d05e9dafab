// SPDX-License-Identifier: GPL-2.0-or-later
// What a monitor is told when a running domain's definition changes: the same as plan_launch() would give it.
#pragma once

#include "domain_xml/domain.h"
#include "support/result.h"
#include "vmm_backend/device_config.h"
#include "vmm_backend/monitor_messages.h"

namespace virttdx::domain_xml {

/// Of `<iotune>`.
DiskLimits disk_limits(const IoTune& iotune);

/// Of on_poweroff, on_reboot and on_crash. Unsupported: an action that a TD cannot have.
Result<LifecycleActions> lifecycle_actions(const Domain& domain);

}  // namespace virttdx::domain_xml
