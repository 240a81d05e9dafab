// SPDX-License-Identifier: GPL-2.0-or-later
// The groups of virConnectGetAllDomainStats, a function each.
#pragma once

#include "api/typed_params.h"
#include "domain/domain_record.h"
#include "vmm_backend/device_statistics.h"
#include "vmm_backend/hypervisor_statistics.h"

namespace virttdx::driver::api {

struct StatsSubject {
  const DomainRecord& record;
  // Null: not asked for, or not told.
  const DeviceStatistics* devices = nullptr;
  const HypervisorStatistics* hypervisor = nullptr;
};

/// virDomainStatsTypes that are known.
unsigned all_stats_groups();
/// Whether the monitor of a domain with such devices has to be asked for what its devices did.
bool needs_device_statistics(const domain_xml::Devices& devices, unsigned groups);
/// Whether a monitor has to be asked for what KVM counts.
bool needs_hypervisor_statistics(unsigned groups);
void add_stats(const StatsSubject& subject, unsigned groups, TypedParams& params);

}  // namespace virttdx::driver::api
