// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "domain_xml/plan.h"

namespace virttdx::domain_xml {

/// The images of this host that can start a TD, in the order of preference.
std::vector<std::string> firmware_for_trust_domains(const PlanSources& sources, const std::string& machine);

}  // namespace virttdx::domain_xml
