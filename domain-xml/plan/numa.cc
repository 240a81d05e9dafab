// SPDX-License-Identifier: GPL-2.0-or-later
// `<numa>` to the nodes that SRAT and SLIT tell the guest of. One node is what every TD has.
#include <algorithm>

#include "cpu/numa_cells.h"
#include "plan/planning.h"

namespace virttdx::domain_xml {
namespace {

constexpr const char* kNumaPath = "/domain/cpu/numa";

std::uint64_t rounded_bytes(std::uint64_t kib) {
  return (kib * 1024 + kMemoryUnit - 1) / kMemoryUnit * kMemoryUnit;
}

NumaNodeConfig node_of(const NumaCell& cell) {
  NumaNodeConfig node{.memory_bytes = rounded_bytes(cell.memory_kib)};
  for (std::uint32_t vcpu = 0; vcpu < cell.vcpus.size(); ++vcpu)
    if (cell.vcpus[vcpu]) node.vcpus.push_back(vcpu);
  return node;
}

bool has(const std::vector<NumaNodeConfig>& nodes, std::uint32_t vcpu) {
  return std::ranges::any_of(nodes,
                             [vcpu](const auto& node) { return std::ranges::count(node.vcpus, vcpu) != 0; });
}

// libvirt's QEMU driver does so too.
void add_other_vcpus(Planning& planning, std::vector<NumaNodeConfig>& nodes) {
  std::vector<std::uint32_t> others;
  for (std::uint32_t vcpu = 0; vcpu < planning.domain.vcpus; ++vcpu)
    if (!has(nodes, vcpu)) others.push_back(vcpu);
  if (others.empty()) return;
  auto& first = nodes.front().vcpus;
  first.insert(first.end(), others.begin(), others.end());
  std::ranges::sort(first);
  planning.add(Severity::Note, "numa-vcpus-added", kNumaPath,
               fmt::format("vCPUs that no cell has are in cell 0: {}", fmt::join(others, ", ")),
               "name every vCPU in the cpus='...' of a cell");
}

void check_memory(Planning& planning, const std::vector<NumaCell>& cells) {
  for (std::size_t id = 0; id < cells.size(); ++id) {
    const auto kib = cells[id].memory_kib, rounded = rounded_bytes(kib) / 1024;
    if (kib == 0)
      planning.error("numa-cell-without-memory", kNumaPath, fmt::format("cell {} has no memory", id),
                     "give each cell at least 2 MiB");
    else if (kib != rounded)
      planning.add(
          Severity::Note, "memory-rounded", kNumaPath,
          fmt::format("memory of cell {}, {} KiB, is rounded up to {} KiB: TD memory comes in units of 2 "
                      "MiB",
                      id, kib, rounded));
  }
}

}  // namespace

void plan_numa(Planning& planning) {
  const auto read = numa_cells(planning.domain);
  // complete_definition() has refused those that cannot be read.
  if (!read || read->size() < 2 || planning.plan.config.memory_bytes == 0) return;
  check_memory(planning, *read);
  auto& config = planning.plan.config;
  config.memory_bytes = 0;
  for (const auto& cell : *read) {
    config.numa_nodes.push_back(node_of(cell));
    config.memory_bytes += config.numa_nodes.back().memory_bytes;
  }
  add_other_vcpus(planning, config.numa_nodes);
  const auto distances = distances_of(*read);
  for (std::size_t id = 0; id < distances.size(); ++id) config.numa_nodes[id].distances = distances[id];
}

}  // namespace virttdx::domain_xml
