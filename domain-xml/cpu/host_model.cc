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

// Smaller is nearer.
auto distance(const NamedCpu& named, std::uint32_t eax) {
  const bool same = eax != 0 && std::ranges::any_of(named.model->signatures, [eax](const CpuSignature& one) {
                      return one.matches(eax);
                    });
  return std::tuple(!same, named.removed.size() + named.added.size(), named.removed.size());
}

}  // namespace

std::optional<NamedCpu> nearest_model(const FeatureNames& features, std::uint32_t eax, const CpuModelMap& map,
                                      std::span<const std::string> allowed) {
  std::optional<NamedCpu> nearest;
  for (const auto& model : map.models()) {
    if (!is_allowed(model, allowed)) continue;
    NamedCpu candidate{&model, without(features, model.features), without(model.features, features)};
    if (!nearest || distance(candidate, eax) < distance(*nearest, eax)) nearest = std::move(candidate);
  }
  return nearest;
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
