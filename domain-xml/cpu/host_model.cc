// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpu/host_model.h"

#include <algorithm>
#include <tuple>

namespace virttdx::domain_xml {
namespace {

constexpr std::string_view kVendor = "Intel";

bool is_allowed(const CpuModel& model, std::span<const std::string> allowed) {
  return model.names_guests && (model.vendor.empty() || model.vendor == kVendor) &&
         (allowed.empty() || std::ranges::find(allowed, model.name) != allowed.end());
}

bool is_such(const CpuModel& model, std::uint32_t eax) {
  return eax != 0 &&
         std::ranges::any_of(model.signatures, [eax](const CpuSignature& one) { return one.matches(eax); });
}

std::size_t common_count(const FeatureNames& left, const FeatureNames& right) {
  std::size_t count = 0;
  auto other = right.begin();
  for (const auto& name : left) {
    while (other != right.end() && *other < name) ++other;
    if (other != right.end() && *other == name) ++count;
  }
  return count;
}

// Smaller is nearer.
auto distance(const CpuModel& model, const FeatureNames& features, std::uint32_t eax) {
  const auto common = common_count(features, model.features);
  const auto removed = model.features.size() - common, added = features.size() - common;
  return std::tuple(!is_such(model, eax), removed + added, removed);
}

}  // namespace

std::optional<NamedCpu> nearest_model(const FeatureNames& features, std::uint32_t eax, const CpuModelMap& map,
                                      std::span<const std::string> allowed) {
  const CpuModel* nearest = nullptr;
  for (const auto& model : map.models()) {
    if (!is_allowed(model, allowed)) continue;
    if (nearest == nullptr || distance(model, features, eax) < distance(*nearest, features, eax))
      nearest = &model;
  }
  if (nearest == nullptr) return std::nullopt;
  return NamedCpu{nearest, without(features, nearest->features), without(nearest->features, features)};
}

std::uint32_t leaf_1_eax(const HostCapabilities& host) {
  const auto* leaf = find_cpuid(host.supported_cpuid, 1, 0);
  return leaf == nullptr ? 0 : leaf->eax;
}

Cpu to_cpu(const NamedCpu& named) {
  Cpu cpu;
  cpu.mode = "custom";
  cpu.match = "exact";
  cpu.model = named.model->name;
  cpu.fallback = "forbid";
  if (!named.model->vendor.empty()) cpu.vendor = named.model->vendor;
  for (const auto& name : named.added) cpu.features.push_back({name, CpuFeaturePolicy::Require});
  for (const auto& name : named.removed) cpu.features.push_back({name, CpuFeaturePolicy::Disable});
  return cpu;
}

}  // namespace virttdx::domain_xml
