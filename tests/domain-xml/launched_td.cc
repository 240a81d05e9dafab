// SPDX-License-Identifier: GPL-2.0-or-later
#include "launched_td.h"

#include <rapidcheck.h>

#include "domain_xml/cpu_models.h"
#include "domain_xml/plan.h"

namespace virttdx::domain_xml::test {

void remove_refused(Domain& domain, const HostCapabilities& host) {
  const auto plan = plan_launch(domain, host);
  RC_ASSERT(plan.has_value());
  for (const auto& finding : plan->findings)
    if (finding.severity == Severity::Error)
      std::erase_if(domain.cpu->features,
                    [&](const CpuFeature& feature) { return feature.line == finding.line; });
}

std::string wrong_bits(const TdVm& td, const VmConfig& config) {
  std::string text;
  for (const auto& difference :
       compare_cpuid(td.cpuid(), config.td.xfam, config.td.attributes, predict_cpuid(config.td)))
    if (difference.predicted && *difference.predicted != difference.actual)
      text += bit_name(difference.function, difference.index, difference.reg, difference.bit) + ": " +
              difference.reason + "\n";
  return text;
}

}  // namespace virttdx::domain_xml::test
