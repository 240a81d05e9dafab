// SPDX-License-Identifier: GPL-2.0-or-later
// The steps of a plan: each reads its part of the domain, fills its part of the VmConfig, adds its findings.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "domain_xml/plan.h"

namespace virttdx::domain_xml {

/// What a TD's memory is a multiple of: the large pages that private memory comes in.
inline constexpr std::uint64_t kMemoryUnit = 2U << 20;

/// One plan in the making.
class Planning {
 public:
  Planning(const Domain& domain_, const HostCapabilities& host_, const PlanSources& sources_,
           const RunResources* resources_ = nullptr)
      : domain(domain_), host(host_), sources(sources_), resources(resources_) {}

  /// Adds a finding; the reference is for its line and bit.
  Finding& add(Severity severity, std::string id, std::string xml_path, std::string message,
               std::string remedy = {}) {
    plan.findings.push_back(
        {severity, std::move(id), std::move(xml_path), 0, {}, std::move(message), std::move(remedy)});
    return plan.findings.back();
  }
  Finding& error(std::string id, std::string xml_path, std::string message, std::string remedy = {}) {
    return add(Severity::Error, std::move(id), std::move(xml_path), std::move(message), std::move(remedy));
  }

  const Domain& domain;
  const HostCapabilities& host;
  const PlanSources& sources;
  const RunResources* resources;  ///< null: only the definition is checked
  LaunchPlan plan;
};

void plan_host(Planning& planning);
void plan_memory(Planning& planning);
/// Needs the memory of plan_memory(), and makes it that of the nodes.
void plan_numa(Planning& planning);
/// Needs the memory of plan_numa().
void plan_huge_pages(Planning& planning);
void plan_vcpus(Planning& planning);
void plan_os(Planning& planning);
void plan_firmware(Planning& planning);
void plan_features(Planning& planning);
/// Needs the attributes of plan_launch_security(), and memory and nodes of plan_numa().
void plan_cpu(Planning& planning);
/// Needs the CPUID of plan_cpu().
void plan_clock(Planning& planning);
void plan_actions(Planning& planning);
void plan_devices(Planning& planning);
void plan_tuning(Planning& planning);
/// Elements that have no part in a VmConfig.
void plan_other_elements(Planning& planning);
/// Kernel, SMBIOS, boot order. After plan_devices().
void plan_firmware_inputs(Planning& planning);
void plan_boot_order(Planning& planning);
/// Last: what the VmConfig says and the monitor does not do.
void apply_monitor_limits(Planning& planning);
void plan_launch_security(Planning& planning);

}  // namespace virttdx::domain_xml
