// SPDX-License-Identifier: GPL-2.0-or-later
#include "planned_config.h"

#include "domain_source.h"
#include "domain_xml/plan.h"
#include "host_source.h"

namespace virttdx::tools {

void add_planning_options(CommandLine& line) {
  line.add_option("host", "HOST", "The domain's host, as for 'virt-tdx check'; kvm when not given.");
  line.add_option("connect", "URI", "libvirt connection of the domain named, tdx:///system when not given.");
}

Result<VmConfig> planned_config(const CommandLine& line) {
  const auto uri = line.option("connect").isEmpty() ? QString("tdx:///system") : line.option("connect");
  const auto host = line.option("host").isEmpty() ? QString("kvm") : line.option("host");
  const auto xml = TRY(domain_xml_from(line.argument(0), uri));
  auto domain = TRY(domain_xml::parse_domain(xml));
  domain =
      TRY(domain_xml::complete_definition(std::move(domain), {.emulator = monitor_program().toStdString()}));
  const auto capabilities = TRY(host_from(host));
  auto plan = TRY(domain_xml::plan_launch(domain, capabilities));
  if (!plan.can_start()) return tl::unexpected<Error>(domain_xml::error_of(plan));
  return plan.config;
}

}  // namespace virttdx::tools
