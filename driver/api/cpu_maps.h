// SPDX-License-Identifier: GPL-2.0-or-later
// Sets of host CPUs as libvirt's API has them: a bit a CPU, lowest first, so many bytes a set.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "api/handlers.h"
#include "domain/affinity.h"

namespace virttdx::driver::api {

/// Every CPU of the host.
CpuSet host_cpus(const HostAccess& host);
/// Appends `length` bytes to `maps`.
void append_cpu_map(std::vector<char>& maps, const CpuSet& cpus, std::size_t length);
/// The set in a client's map. InvalidArgument when it is empty.
Result<CpuSet> read_cpu_map(std::span<const char> map);
/// Refuses numbers of maps that no reply can hold.
Answer check_map_sizes(int count, int map_length);

/// Where a vCPU (absent: the rest of the monitor) may run by the definition.
CpuSet pinned_cpus(const domain_xml::Domain& domain, std::optional<std::uint32_t> vcpu,
                   const HostAccess& host);

}  // namespace virttdx::driver::api
