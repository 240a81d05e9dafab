// SPDX-License-Identifier: GPL-2.0-or-later
// libvirt's client library for the objects of other daemons. Every call blocks; any thread.
#pragma once

#include <filesystem>

#include "host/host_resources.h"

namespace virttdx::driver {

struct ObjectDaemons {
  std::filesystem::path run;
  bool per_user = false;
};

/// Calls block. ConfigUnsupported, with what is missing: no daemon, no such network, pool or volume, one that
/// is inactive.
Result<NetworkPort> create_network_port(const ObjectDaemons& daemons, const ResourceRequest& domain,
                                        const NetworkPortRequest& request);
/// A port that is gone already is no error.
Result<> delete_network_port(const ObjectDaemons& daemons, const NetworkPortRequest& request);
/// Of all requests. One network that cannot be asked fails them.
Result<std::vector<DhcpLease>> read_leases(const ObjectDaemons& daemons,
                                           const std::vector<LeaseRequest>& requests);
Result<VolumePlace> find_volume(const ObjectDaemons& daemons, const VolumeRequest& request);

}  // namespace virttdx::driver
