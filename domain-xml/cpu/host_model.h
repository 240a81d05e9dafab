// SPDX-License-Identifier: GPL-2.0-or-later
// Naming a set of features: the nearest model of the map.
#pragma once

#include <optional>
#include <span>

#include "cpu/cpu_model_map.h"
#include "domain_xml/domain.h"
#include "vmm_backend/host_capabilities.h"

namespace virttdx::domain_xml {

struct NamedCpu {
  const CpuModel* model = nullptr;  ///< of the map
  FeatureNames added;               ///< had, and not in the model
  FeatureNames removed;             ///< in the model, and not had
};

/// The model of Intel's, or of nobody's, that lacks least to describe `features`; one of the same family and
/// model as `leaf_1_eax` (0: unknown) goes before all. `allowed`: names, empty for any. Absent when no model
/// qualifies.
std::optional<NamedCpu> nearest_model(const FeatureNames& features, std::uint32_t leaf_1_eax,
                                      const CpuModelMap& map, std::span<const std::string> allowed = {});

/// CPUID.01H:EAX of the host's CPU; 0 when KVM does not say.
std::uint32_t leaf_1_eax(const HostCapabilities& host);

/// `<cpu mode='custom' match='exact'>` of that name.
Cpu to_cpu(const NamedCpu& named);

}  // namespace virttdx::domain_xml
