// SPDX-License-Identifier: GPL-2.0-or-later
// `<feature policy= name=>`: libvirt's policies held against what the host lets a TD choose.
#pragma once

#include "plan/planning.h"

namespace virttdx::domain_xml {

/// Applies the features of `cpu` to `wanted` and to the XFAM of the plan.
void plan_cpu_features(Planning& planning, const Cpu& cpu, CpuidEntries& wanted);

}  // namespace virttdx::domain_xml
