// SPDX-License-Identifier: GPL-2.0-or-later
// Shares and limits of the host's resources: the daemon applies them, those of <cputune>, <memtune> and
// <blkiotune> where it can make a control group for each monitor.
#include <array>

#include "plan/planning.h"

namespace virttdx::domain_xml {
namespace {

struct Limit {
  std::string_view path;
  bool asked;
};

// The monitor is started with the policy; what would need numad is not offered.
void refuse_numa_tune(Planning& planning) {
  const auto tune = planning.domain.tuning.numa.value_or(NumaTune());
  if (tune.placement == "auto")
    planning.error("numatune-placement", "/domain/numatune/memory",
                   "<numatune> placement='auto' is not offered: nobody is asked where there is room",
                   "write placement='static' and the nodes in nodeset='...'");
  if (tune.mode == "restrictive")
    planning.error("numatune-mode", "/domain/numatune/memory",
                   "<numatune> mode='restrictive' is not offered: it leaves a monitor's policy to its "
                   "control group's nodes",
                   "use mode='strict', 'preferred' or 'interleave'");
}

// guest_memfd has no policy of a range: every page follows the monitor's.
void warn_of_cell_memory(Planning& planning) {
  const auto tune = planning.domain.tuning.numa.value_or(NumaTune());
  const auto policy = memory_policy_of(tune);
  for (const auto& cell : tune.cells)
    if (cell.nodeset != policy.nodeset || cell.mode.value_or("strict") != policy.mode)
      planning.add(
          Severity::Warning, "numatune-memnode", "/domain/numatune/memnode",
          fmt::format(
              "<memnode> of cell {} cannot be followed alone: all of a TD's memory comes from nodes {}, "
              "mode '{}', as guest_memfd takes it by one policy",
              cell.cell, *policy.nodeset, policy.mode),
          "give every cell the nodes and mode of <memory>, or leave <memnode> out");
}

bool has_bandwidth(const std::optional<std::uint64_t>& period, const std::optional<std::int64_t>& quota) {
  return period || quota;
}

// The default is what there is without control groups, too.
bool has_partition(const Domain& domain) { return partition_of(domain) != kDefaultPartition; }

auto limits_of(const Domain& domain) {
  const auto& tuning = domain.tuning;
  const auto cpu = tuning.cpu.value_or(CpuTune());
  const auto memory = tuning.memory.value_or(MemoryTune());
  return std::array{
      Limit{"/domain/cputune/shares", cpu.shares.has_value()},
      Limit{"/domain/cputune/quota", has_bandwidth(cpu.period, cpu.quota)},
      Limit{"/domain/cputune/global_quota", has_bandwidth(cpu.global_period, cpu.global_quota)},
      Limit{"/domain/cputune/emulator_quota", has_bandwidth(cpu.emulator_period, cpu.emulator_quota)},
      Limit{"/domain/memtune/hard_limit", memory.hard_limit.has_value()},
      Limit{"/domain/memtune/soft_limit", memory.soft_limit.has_value()},
      Limit{"/domain/memtune/swap_hard_limit", memory.swap_hard_limit.has_value()},
      Limit{"/domain/blkiotune/weight", tuning.blkio && tuning.blkio->weight},
      Limit{"/domain/blkiotune/device", tuning.blkio && !tuning.blkio->devices.empty()},
      Limit{"/domain/resource/partition", has_partition(domain)},
  };
}

// What libvirt's clients wrote for cgroups v1, as OpenStack Nova did, may be more than v2 has: the domain is
// to start all the same.
void reduce_shares(Planning& planning) {
  constexpr std::uint64_t kWeightMaximum = 10'000;  // cpu.weight in the kernel's cgroup-v2.rst
  const auto shares = planning.domain.tuning.cpu ? planning.domain.tuning.cpu->shares : std::nullopt;
  if (shares.value_or(0) > kWeightMaximum)
    planning.add(
        Severity::Warning, "cpu-shares-reduced", "/domain/cputune/shares",
        fmt::format("<shares> {} counts as {}: cgroups v2 have no larger weight", *shares, kWeightMaximum),
        "write at most 10000; without a value a domain has 100");
}

}  // namespace

void plan_tuning(Planning& planning) {
  refuse_numa_tune(planning);
  warn_of_cell_memory(planning);
  if (planning.sources.control_groups) return reduce_shares(planning);
  for (const auto& limit : limits_of(planning.domain))
    if (limit.asked)
      planning.add(Severity::Warning, "tuning-without-effect", std::string(limit.path),
                   fmt::format("<{}> is kept without effect: this host's monitors have no control group",
                               limit.path.substr(limit.path.rfind('/') + 1)),
                   "remove it, or use a host that systemd runs, with cgroups v2 only");
}

}  // namespace virttdx::domain_xml
