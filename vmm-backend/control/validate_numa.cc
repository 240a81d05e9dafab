// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "control/validation.h"

namespace virttdx {
namespace {

constexpr std::uint64_t kMemoryUnit = 2U << 20;
/// Linux's MAX_NUMNODES in the kernels of distributions is at least this.
constexpr std::size_t kNodesMaximum = 64;
constexpr std::uint8_t kLocalDistance = 10;

Result<> check_memory(const VmConfig& config) {
  std::uint64_t sum = 0;
  for (const auto& node : config.numa_nodes) {
    if (node.memory_bytes == 0 || node.memory_bytes % kMemoryUnit != 0)
      return fail(Error::Code::InvalidArgument, "/numa_nodes: memory of {} bytes is not a multiple of 2 MiB",
                  node.memory_bytes);
    if (__builtin_add_overflow(sum, node.memory_bytes, &sum)) sum = UINT64_MAX;
  }
  if (sum == config.memory_bytes) return {};
  return fail(Error::Code::InvalidArgument, "/numa_nodes: they have {} bytes, and the TD {}", sum,
              config.memory_bytes);
}

Result<> check_vcpus(const VmConfig& config) {
  std::vector<bool> placed(config.vcpu_count);
  for (const auto& node : config.numa_nodes)
    for (const auto vcpu : node.vcpus) {
      if (vcpu >= placed.size())
        return fail(Error::Code::InvalidArgument, "/numa_nodes: vCPU {} does not exist, there are {}", vcpu,
                    placed.size());
      if (placed[vcpu]) return fail(Error::Code::InvalidArgument, "/numa_nodes: vCPU {} stands twice", vcpu);
      placed[vcpu] = true;
    }
  const auto missing = std::ranges::find(placed, false);
  if (missing == placed.end()) return {};
  return fail(Error::Code::InvalidArgument, "/numa_nodes: vCPU {} is in no node", missing - placed.begin());
}

Result<> check_distances(const VmConfig& config) {
  const auto& nodes = config.numa_nodes;
  const bool wanted = !nodes.front().distances.empty();
  for (std::size_t from = 0; from < nodes.size(); ++from) {
    const auto& distances = nodes[from].distances;
    if (distances.size() != (wanted ? nodes.size() : 0))
      return fail(Error::Code::InvalidArgument, "/numa_nodes: node {} has {} distances instead of {}", from,
                  distances.size(), wanted ? nodes.size() : 0);
    for (std::size_t to = 0; to < distances.size(); ++to)
      if (distances[to] < kLocalDistance || (from == to) != (distances[to] == kLocalDistance))
        return fail(Error::Code::InvalidArgument,
                    "/numa_nodes: distance {} of node {} to node {}: 10 to itself, 11 to 255 to others",
                    distances[to], from, to);
  }
  return {};
}

}  // namespace

Result<> validate_numa_nodes(const VmConfig& config) {
  if (config.numa_nodes.empty()) return {};
  if (config.numa_nodes.size() > kNodesMaximum)
    return fail(Error::Code::InvalidArgument, "/numa_nodes: {} nodes, at most {} are accepted",
                config.numa_nodes.size(), kNodesMaximum);
  TRY(check_memory(config));
  TRY(check_vcpus(config));
  return check_distances(config);
}

}  // namespace virttdx
