// SPDX-License-Identifier: GPL-2.0-or-later
// The groups of virConnectGetAllDomainStats, a function each.
#pragma once

#include <map>
#include <vector>

#include "api/typed_params.h"
#include "domain/domain_record.h"
#include "domain/image_size.h"
#include "vmm_backend/device_statistics.h"
#include "vmm_backend/hypervisor_statistics.h"

namespace virttdx::driver::api {

struct StatsSubject {
  const DomainRecord& record;
  // Null: not asked for, or not told.
  const DeviceStatistics* devices = nullptr;
  const HypervisorStatistics* hypervisor = nullptr;
  std::map<Image, ImageSize> images = {};  ///< of a domain that does not run, those that could be opened
};

/// virDomainStatsTypes that are known.
unsigned all_stats_groups();
/// Whether the monitor of a domain with such devices has to be asked for what its devices did.
bool needs_device_statistics(const domain_xml::Devices& devices, unsigned groups);
/// Those whose sizes a domain that does not run is to be told with.
std::vector<Image> images_needed(const DomainRecord& record, unsigned groups);
/// Whether a monitor has to be asked for what KVM counts.
bool needs_hypervisor_statistics(unsigned groups);
void add_stats(const StatsSubject& subject, unsigned groups, TypedParams& params);

}  // namespace virttdx::driver::api
