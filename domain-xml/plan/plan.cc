// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/plan.h"

#include <algorithm>
#include <array>

#include "plan/device_planning.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array<std::string_view, 3> kSeverityNames = {"note", "warning", "error"};

// Of elements that come once; a step that knows better has said so.
void add_lines(Planning& planning) {
  for (auto& finding : planning.plan.findings)
    if (finding.line == 0) finding.line = planning.domain.lines.of(finding.xml_path);
}

// Rules of the monitor that no step knows: sizes, repetitions. Its message names the device by its id.
void report_refusal(Planning& planning, const std::string& message) {
  auto& finding = planning.error("monitor-refuses", "/domain", fmt::format("the monitor refuses {}", message),
                                 "change the value that it names");
  for_each_device(planning.domain.devices, [&](const DeviceInfo& device) {
    if (message.find(fmt::format("'{}'", device.alias.value_or(""))) == std::string::npos) return;
    finding.xml_path = "/domain/devices";
    finding.line = device.line.number;
  });
}

bool is_error(const Finding& finding) { return finding.severity == Severity::Error; }

}  // namespace

bool LaunchPlan::can_start() const { return std::ranges::none_of(findings, is_error); }

std::string to_string(const Finding& finding) {
  auto text =
      fmt::format("{}: {}", kSeverityNames[static_cast<std::size_t>(finding.severity)], finding.message);
  if (!finding.remedy.empty()) text += "; " + finding.remedy;
  if (finding.xml_path.empty()) return text;
  text += " (" + finding.xml_path;
  if (finding.line != 0) text += fmt::format(", line {}", finding.line);
  return text + ")";
}

Result<LaunchPlan> plan_launch(const Domain& domain, const HostCapabilities& host, const PlanSources& sources,
                               const RunResources* resources) {
  // Ids in a VmConfig are aliases; the check of a definition has no directory for sockets.
  Domain prepared = domain;
  prepare_run(prepared, "/");
  Planning planning(prepared, host, sources, resources);
  auto& config = planning.plan.config;
  config.name = domain.name;
  config.uuid = domain.uuid;
  config.host = host.kind;
  plan_host(planning);
  // Against nothing offered everything would be an error.
  if (!host.tdx_supported) return std::move(planning.plan);
  const auto about_host = std::exchange(planning.plan.findings, {});
  // The attributes come first in time, as CPU features depend on them; their findings keep the document's
  // order.
  plan_launch_security(planning);
  const auto security = std::exchange(planning.plan.findings, about_host);
  for (const auto step : {plan_memory, plan_numa, plan_huge_pages, plan_vcpus, plan_tuning, plan_os,
                          plan_firmware, plan_features, plan_cpu, plan_clock, plan_actions, plan_devices,
                          plan_firmware_inputs, plan_other_elements, apply_monitor_limits})
    step(planning);
  std::ranges::copy(security, std::back_inserter(planning.plan.findings));
  // A plan without errors is one that the monitor takes.
  if (planning.plan.can_start())
    if (const auto valid = validate(config); !valid) report_refusal(planning, valid.error().message());
  add_lines(planning);
  return std::move(planning.plan);
}

Error error_of(const LaunchPlan& plan) {
  const auto first = std::ranges::find_if(plan.findings, is_error);
  CHECK(first != plan.findings.end());
  auto text = to_string(*first).substr(std::string_view("error: ").size());
  if (const auto more = std::ranges::count_if(plan.findings, is_error) - 1; more > 0)
    text += fmt::format(" (and {} more {})", more, more == 1 ? "error" : "errors");
  return Error(Error::Code::ConfigUnsupported, std::move(text));
}

}  // namespace virttdx::domain_xml
