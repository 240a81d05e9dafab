// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/cpu_models.h"

#include "cpu/cpu_map_cache.h"
#include "cpu/host_model.h"
#include "cpu/td_cpu.h"
#include "plan/cpu_model.h"

namespace virttdx::domain_xml {
Result<std::vector<std::string>> cpu_model_names(const PlanSources& sources) {
  const auto kept = TRY(cpu_model_map(sources.cpu_map));
  const auto& map = *kept;
  std::vector<std::string> names;
  for (const auto& model : map.models()) names.push_back(model.name);
  return names;
}

Result<std::vector<CpuModelUsability>> cpu_model_usability(const HostCapabilities& host,
                                                           const PlanSources& sources) {
  const auto kept = TRY(cpu_model_map(sources.cpu_map));
  const auto& map = *kept;
  std::vector<CpuModelUsability> models;
  for (const auto& model : map.models()) {
    const auto missing = missing_in_td(model.features, host, map);
    const bool vendor_fits = model.vendor.empty() || model.vendor == "Intel";
    models.push_back({.name = model.name,
                      .vendor = model.vendor.empty() ? "unknown" : model.vendor,
                      .usable = host.tdx_supported && vendor_fits && missing.empty(),
                      .blockers = {missing.begin(), missing.end()}});
  }
  return models;
}

Result<Cpu> host_model_cpu(const HostCapabilities& host, const PlanSources& sources) {
  const auto kept = TRY(cpu_model_map(sources.cpu_map));
  const auto& map = *kept;
  const auto nearest = nearest_model(td_features(host, map), leaf_1_eax(host), map);
  if (!nearest)
    return fail(Error::Code::ConfigUnsupported,
                "no CPU model of '{}' describes what a TD has on this host; use mode='host-passthrough'",
                sources.cpu_map.string());
  return to_cpu(*nearest);
}

Result<Cpu> live_cpu(const Domain& domain, const CpuidReport& report, const HostCapabilities& host,
                     const PlanSources& sources) {
  auto cpu = domain.cpu.value_or(Cpu());
  if (!names_model(cpu)) return cpu;
  const auto kept = TRY(cpu_model_map(sources.cpu_map));
  const auto& map = *kept;
  const auto shown = map.features_in(seen_by_guest(report));
  auto named = nearest_model(td_features(host, map), leaf_1_eax(host), map);
  if (cpu.mode == "custom")
    named = cpu.model && map.find_model(*cpu.model) != nullptr
                ? std::optional(NamedCpu{map.find_model(*cpu.model), {}, {}})
                : std::nullopt;
  if (!named) return cpu;
  auto live =
      to_cpu({named->model, without(shown, named->model->features), without(named->model->features, shown)});
  live.check = "full";
  live.topology = cpu.topology;
  live.maxphysaddr_mode = cpu.maxphysaddr_mode;
  live.maxphysaddr_bits = cpu.maxphysaddr_bits;
  if (cpu.mode == "custom") live.vendor = cpu.vendor;
  return live;
}

}  // namespace virttdx::domain_xml
