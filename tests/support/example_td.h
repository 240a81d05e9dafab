// SPDX-License-Identifier: GPL-2.0-or-later
// docs/examples/td.xml, planned for a software TDX host.
#pragma once

#include "domain_xml/domain.h"
#include "domain_xml/plan.h"
#include "kvm/kernel_calls.h"
#include "support/file.h"
#include "tdx/capabilities.h"

namespace virttdx::test {

inline Result<VmConfig> example_td(KernelCalls& kernel) {
  const std::string xml = TRY(read_text_file(VIRTTDX_EXAMPLE_TD, 1 << 20));
  auto domain =
      TRY(domain_xml::complete_definition(TRY(domain_xml::parse_domain(xml)), {.emulator = "/none"}));
  const auto plan = TRY(domain_xml::plan_launch(domain, read_host_capabilities(kernel, HostKind::Soft)));
  if (!plan.can_start()) return tl::unexpected(domain_xml::error_of(plan));
  return plan.config;
}

}  // namespace virttdx::test
