// SPDX-License-Identifier: GPL-2.0-or-later
// `<feature policy= name=>`: libvirt's policies held against what the host lets a TD choose.
#pragma once

#include "cpu/cpu_map.h"
#include "plan/planning.h"

namespace virttdx::domain_xml {

/// Applies the `<feature>` elements of `cpu` to `wanted` and to the XFAM of the plan. `silent`: without
/// findings, but for names that are unknown.
void plan_cpu_features(Planning& planning, const Cpu& cpu, const CpuMap& map, bool silent,
                       CpuidEntries& wanted);

/// Sets the attributes that features stand for (pks, kl, lass).
void plan_feature_attributes(Planning& planning, const Cpu& cpu, bool silent);

}  // namespace virttdx::domain_xml
