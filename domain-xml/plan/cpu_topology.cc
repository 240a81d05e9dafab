// SPDX-License-Identifier: GPL-2.0-or-later
// Encodings: Intel SDM volume 2, CPUID, leaves 01H, 04H, 0BH and 1FH.
#include "plan/cpu_topology.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace virttdx::domain_xml {
namespace {

constexpr std::uint32_t kSmtLevel = 1, kCoreLevel = 2, kDieLevel = 5;
// The module configures sub-leaves 0 to 5 of leaf 0x1F.
constexpr std::uint32_t kExtendedTopologyLevels = 6;

struct Level {
  std::uint32_t type;
  std::uint32_t shift;  // of an x2APIC id, to the next level up
  std::uint32_t vcpus;  // in one unit of the next level up
};

std::uint32_t id_width(std::uint32_t count) { return static_cast<std::uint32_t>(std::bit_width(count - 1)); }

// Behind the bits of each level.
struct Shifts {
  std::uint32_t thread, core, die;
};

Shifts shifts_of(const CpuTopology& topology) {
  const std::uint32_t thread = id_width(topology.threads), core = thread + id_width(topology.cores);
  return {thread, core, core + id_width(topology.dies)};
}

std::uint32_t package_of(const CpuTopology& topology) {
  return topology.threads * topology.cores * topology.dies;
}

std::vector<Level> levels_of(const CpuTopology& topology, bool with_dies) {
  const Shifts shifts = shifts_of(topology);
  std::vector<Level> levels = {{kSmtLevel, shifts.thread, topology.threads},
                               {kCoreLevel, shifts.core, topology.threads * topology.cores}};
  if (with_dies && topology.dies > 1)
    levels.push_back({kDieLevel, shifts.die, package_of(topology)});
  else
    levels.back() = {kCoreLevel, shifts.die, package_of(topology)};
  return levels;
}

void add_levels(CpuidEntries& entries, std::uint32_t function, const std::vector<Level>& levels,
                std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    CpuidEntry entry{.function = function, .index = i, .index_significant = true, .ecx = i};
    if (i < levels.size()) {
      entry.eax = levels[i].shift;
      entry.ebx = levels[i].vcpus;
      entry.ecx |= levels[i].type << 8;
    }
    entries.push_back(entry);
  }
}

// How many vCPUs share a cache, and how many cores a package has, both as the highest id.
void adapt_caches(CpuidEntries& entries, const CpuTopology& topology) {
  const Shifts shifts = shifts_of(topology);
  const std::uint32_t package_ids = 1U << shifts.die, thread_ids = 1U << shifts.thread;
  const std::uint32_t cores = std::min(package_ids / thread_ids, 64U);
  for (auto& entry : entries) {
    if (entry.function != 4 || (entry.eax & 0x1F) == 0) continue;
    const bool last_level = (entry.eax >> 5 & 7) >= 3;
    const std::uint32_t sharing = std::min(last_level ? package_ids : thread_ids, 4096U);
    entry.eax = (entry.eax & 0x3FFF) | (sharing - 1) << 14 | (cores - 1) << 26;
  }
}

void adapt_leaf_1(CpuidEntries& entries, const CpuTopology& topology) {
  const auto entry = std::ranges::find(entries, 1U, &CpuidEntry::function);
  if (entry == entries.end()) return;
  const std::uint32_t ids = std::min(1U << shifts_of(topology).die, 255U);
  entry->ebx = (entry->ebx & 0x0000FFFF) | ids << 16;
  constexpr std::uint32_t kHtt = 1U << 28;
  entry->edx = ids > 1 ? entry->edx | kHtt : entry->edx & ~kHtt;
}

}  // namespace

CpuTopology topology_of(const std::optional<Cpu>& cpu, std::uint32_t vcpus, std::uint32_t packages) {
  if (cpu && cpu->topology) return *cpu->topology;
  return {.sockets = packages, .dies = 1, .cores = vcpus / packages, .threads = 1};
}

std::uint32_t packages_of(const std::vector<NumaNodeConfig>& nodes) {
  if (nodes.empty()) return 1;
  std::uint32_t next = 0;
  for (const auto& node : nodes) {
    if (node.vcpus.size() != nodes.front().vcpus.size()) return 1;
    for (const auto vcpu : node.vcpus)
      if (vcpu != next++) return 1;
  }
  return static_cast<std::uint32_t>(nodes.size());
}

std::vector<std::uint32_t> vcpu_ids_of(const CpuTopology& topology) {
  const Shifts shifts = shifts_of(topology);
  const std::uint32_t vcpus = topology.sockets * package_of(topology);
  std::vector<std::uint32_t> ids;
  for (std::uint32_t vcpu = 0; vcpu < vcpus; ++vcpu) {
    const std::uint32_t core = vcpu / topology.threads, die = core / topology.cores,
                        package = die / topology.dies;
    ids.push_back(package << shifts.die | die % topology.dies << shifts.core |
                  core % topology.cores << shifts.thread | vcpu % topology.threads);
  }
  if (ids.back() == vcpus - 1) ids.clear();
  return ids;
}

void apply_topology(CpuidEntries& entries, const CpuTopology& topology) {
  std::erase_if(entries,
                [](const CpuidEntry& entry) { return entry.function == 0xB || entry.function == 0x1F; });
  adapt_leaf_1(entries, topology);
  adapt_caches(entries, topology);
  // Leaf 0xB knows threads and cores only, and ends with an empty level.
  add_levels(entries, 0xB, levels_of(topology, false), 3);
  add_levels(entries, 0x1F, levels_of(topology, true), kExtendedTopologyLevels);
}

}  // namespace virttdx::domain_xml
