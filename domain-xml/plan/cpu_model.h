// SPDX-License-Identifier: GPL-2.0-or-later
// `<cpu mode='custom'>` and mode='host-model': a named model held against what a TD can have.
#pragma once

#include <optional>

#include "cpu/cpu_model_map.h"
#include "plan/planning.h"

namespace virttdx::domain_xml {

/// Follows the number of vCPUs in a package, whoever asks: no difference between models.
inline constexpr std::string_view kTopologyFeature = "ht";

/// What `<cpu>` asks for.
struct RequestedCpu {
  /// Absent: the host's own CPU (host-passthrough, maximum).
  std::optional<CpuModel> model;
  /// Features that a guest of the named model has, with `<feature>` elements applied.
  FeatureNames features;
  /// All state that the host offers, whatever the features: host-model.
  bool whole_state = false;
  /// check='none' of a named model: whatever differs is not spoken of.
  bool silent = false;
};

/// Whether `cpu` is of a mode with a model: custom, host-model.
bool names_model(const Cpu& cpu);

/// Takes `<feature>` elements over: a later one of the same name decides. Features of KVM's and in MSRs are
/// left out.
void apply_feature_names(FeatureNames& features, const std::vector<CpuFeature>& elements,
                         const CpuModelMap& map);

/// Resolves the model; adds findings for what cannot be resolved. Without a model of that name the host's own
/// CPU stands in, beside an error.
RequestedCpu request_cpu(Planning& planning, const Cpu& cpu, const CpuModelMap& map);

/// Sets the bits of `wanted` as the named model has them where a TD lets them be chosen, and its family,
/// model and stepping. Adds a finding for what the model has and a TD cannot have.
void apply_model(Planning& planning, const Cpu& cpu, const RequestedCpu& requested, const CpuModelMap& map,
                 CpuidEntries& wanted);

/// After everything is planned: what the guest will have beyond the request.
void check_planned_cpu(Planning& planning, const Cpu& cpu, const RequestedCpu& requested,
                       const CpuModelMap& map);

}  // namespace virttdx::domain_xml
