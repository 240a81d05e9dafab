// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/cpu_models.h"

#include <algorithm>
#include <iterator>

#include "cpu/host_model.h"
#include "cpu/td_cpu.h"

namespace virttdx::domain_xml {
namespace {

bool is_answered_by_kvm(const CpuidEntry& entry) {
  return tdx_cpuid_bit(entry.function, entry.index, CpuidRegister::Eax, 0).bit_class == TdxCpuidClass::Ve;
}

// The module's leaves as they are, and those that KVM answers as KVM was told.
CpuidEntries seen_by_guest(const CpuidReport& report) {
  auto entries = report.actual;
  std::erase_if(entries, is_answered_by_kvm);
  std::ranges::copy_if(report.vcpu_requested, std::back_inserter(entries), is_answered_by_kvm);
  return entries;
}

}  // namespace

Result<std::vector<std::string>> cpu_model_names(const PlanSources& sources) {
  const auto map = TRY(CpuModelMap::load(sources.cpu_map));
  std::vector<std::string> names;
  for (const auto& model : map.models()) names.push_back(model.name);
  return names;
}

Result<std::vector<CpuModelUsability>> cpu_model_usability(const HostCapabilities& host,
                                                           const PlanSources& sources) {
  const auto map = TRY(CpuModelMap::load(sources.cpu_map));
  const auto possible = td_features(host, map);
  std::vector<CpuModelUsability> models;
  for (const auto& model : map.models()) {
    const auto missing = without(model.features, possible);
    const bool vendor_fits = model.vendor.empty() || model.vendor == "Intel";
    models.push_back({.name = model.name,
                      .vendor = model.vendor.empty() ? "unknown" : model.vendor,
                      .usable = host.tdx_supported && vendor_fits && missing.empty(),
                      .blockers = {missing.begin(), missing.end()}});
  }
  return models;
}

Result<Cpu> host_model_cpu(const HostCapabilities& host, const PlanSources& sources) {
  const auto map = TRY(CpuModelMap::load(sources.cpu_map));
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
  if (cpu.mode != "custom" && cpu.mode != "host-model") return cpu;
  const auto map = TRY(CpuModelMap::load(sources.cpu_map));
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
