// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/cpu_maps.h"

#include <algorithm>

namespace virttdx::driver::api {

CpuSet host_cpus(const HostAccess& host) {
  CpuSet cpus;
  for (const auto& cell : host.description.cells)
    for (const auto& cpu : cell.cpus) {
      cpus.resize(std::max<std::size_t>(cpus.size(), cpu.id + std::size_t{1}));
      cpus[cpu.id] = true;
    }
  return cpus;
}

void append_cpu_map(std::vector<char>& maps, const CpuSet& cpus, std::size_t length) {
  const std::size_t start = maps.size();
  maps.resize(start + length);
  for (std::size_t cpu = 0; cpu < std::min(cpus.size(), length * 8); ++cpu)
    if (cpus[cpu]) maps[start + cpu / 8] = static_cast<char>(maps[start + cpu / 8] | 1 << cpu % 8);
}

Result<CpuSet> read_cpu_map(std::span<const char> map) {
  CpuSet cpus(map.size() * 8);
  for (std::size_t cpu = 0; cpu < cpus.size(); ++cpu) cpus[cpu] = (map[cpu / 8] >> cpu % 8 & 1) != 0;
  if (std::find(cpus.begin(), cpus.end(), true) == cpus.end())
    return fail(Error::Code::InvalidArgument, "Empty cpu list for pinning");
  return cpus;
}

Answer check_map_sizes(int count, int map_length) {
  if (count < 0 || count > REMOTE_VCPUINFO_MAX || map_length < 0 ||
      static_cast<std::int64_t>(count) * map_length > REMOTE_CPUMAPS_MAX)
    return fail(Error::Code::InvalidArgument, "maxinfo {} and maplen {} exceed what a reply may hold", count,
                map_length);
  return {};
}

CpuSet pinned_cpus(const domain_xml::Domain& domain, std::optional<std::uint32_t> vcpu,
                   const HostAccess& host) {
  std::optional<std::string> text = domain.vcpu_cpuset;
  if (const auto& tune = domain.tuning.cpu) {
    if (!vcpu && tune->emulator_cpuset) text = tune->emulator_cpuset;
    for (const auto& pin : tune->vcpu_pins)
      if (vcpu && pin.vcpu == *vcpu) text = pin.cpuset;
  }
  // The definition was checked when it was read.
  return text ? domain_xml::parse_cpuset(*text).value_or(CpuSet()) : host_cpus(host);
}

}  // namespace virttdx::driver::api
