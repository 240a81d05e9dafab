// SPDX-License-Identifier: GPL-2.0-or-later
#include "plan/cpu_model.h"

#include <algorithm>

#include "cpu/host_model.h"
#include "cpu/td_cpu.h"
#include "domain_xml/cpu_models.h"

namespace virttdx::domain_xml {
namespace {

constexpr auto kModelPath = "/domain/cpu/model";
constexpr std::string_view kVendor = "Intel", kVendorId = "GenuineIntel";

bool takes_away(CpuFeaturePolicy policy) {
  return policy == CpuFeaturePolicy::Disable || policy == CpuFeaturePolicy::Forbid;
}

void check_vendor(Planning& planning, const Cpu& cpu, const CpuModel& model) {
  const std::string remedy = "use a model of Intel's";
  if (!model.vendor.empty() && model.vendor != kVendor)
    planning.error("cpu-model-vendor", kModelPath,
                   fmt::format("CPU model '{}' is of vendor {}: the TDX module shows every TD {}", model.name,
                               model.vendor, kVendorId),
                   remedy);
  if (cpu.vendor && *cpu.vendor != kVendor)
    planning.error("cpu-vendor", "/domain/cpu/vendor",
                   fmt::format("CPU vendor '{}' is asked for, and every host of TDs is Intel's", *cpu.vendor),
                   "remove <vendor>");
}

std::optional<CpuModel> named_model(Planning& planning, const Cpu& cpu, const CpuModelMap& map) {
  if (!cpu.model || cpu.model->empty()) {
    planning.error("cpu-model-missing-name", "/domain/cpu", "CPU mode 'custom' names no model",
                   "add <model>, or use mode='host-passthrough' or mode='host-model'");
    return std::nullopt;
  }
  const auto* model = map.find_model(*cpu.model);
  if (model == nullptr) {
    planning.error("cpu-model-unknown", kModelPath,
                   fmt::format("CPU model '{}' is unknown to libvirt's CPU map beside '{}'", *cpu.model,
                               planning.sources.cpu_map.string()),
                   "use a model that virsh domcapabilities lists, or mode='host-model'");
    return std::nullopt;
  }
  return *model;
}

// libvirt's match='minimum': the guest has what the host has too.
void add_host_features(Planning& planning, const Cpu& cpu, const CpuModelMap& map, RequestedCpu& requested) {
  if (cpu.match == "minimum") requested.features.merge(td_features(planning.host, map));
}

RequestedCpu request_host_model(Planning& planning, const CpuModelMap& map) {
  auto features = td_features(planning.host, map);
  const auto nearest = nearest_model(features, leaf_1_eax(planning.host), map);
  if (!nearest) {
    planning.error(
        "cpu-host-model", "/domain/cpu",
        "CPU mode 'host-model': no model of libvirt's CPU map describes what a TD has on this host",
        "use mode='host-passthrough'");
    return {};
  }
  RequestedCpu requested;
  requested.model = *nearest->model;
  requested.features = std::move(features);
  requested.whole_state = true;
  return requested;
}

RequestedCpu request_custom(Planning& planning, const Cpu& cpu, const CpuModelMap& map) {
  RequestedCpu requested;
  requested.model = named_model(planning, cpu, map);
  if (!requested.model) return requested;
  requested.silent = cpu.check == "none";
  if (!requested.silent) check_vendor(planning, cpu, *requested.model);
  requested.features = requested.model->features;
  add_host_features(planning, cpu, map, requested);
  return requested;
}

// Features of the model itself, not those that <feature> elements name: these have findings of their own.
FeatureNames left_to_the_model(const Cpu& cpu, const RequestedCpu& requested, const CpuModelMap& map) {
  auto names = requested.features;
  for (const auto& feature : cpu.features)
    if (const auto* known = map.features().find(feature.name)) names.erase(known->name);
  return names;
}

std::string describe(const FeatureNames& names, const TdCpu& td_cpu, const CpuModelMap& map) {
  std::string text;
  for (const auto& name : names) {
    const auto* feature = map.features().find(name);
    const auto bit =
        std::ranges::find_if(feature->bits, [&](const CpuidBit& one) { return !td_cpu.bit(one).can_be_1; });
    if (!text.empty()) text += "; ";
    text += fmt::format("{} ({}: {})", name, blocking_bit(td_cpu, *feature), td_cpu.reason(*bit));
  }
  return text;
}

void report_missing(Planning& planning, const FeatureNames& missing, const RequestedCpu& requested,
                    const TdCpu& td_cpu, const CpuModelMap& map) {
  if (missing.empty() || requested.silent) return;
  std::string remedy = "use mode='host-model', or leave them out:";
  for (const auto& name : missing) remedy += fmt::format(" <feature policy='disable' name='{}'/>", name);
  auto& finding =
      planning.error("cpu-model-features", kModelPath,
                     fmt::format("CPU model '{}' has {} features that a TD cannot have on this host: {}",
                                 requested.model->name, missing.size(), describe(missing, td_cpu, map)),
                     remedy);
  finding.bit = blocking_bit(td_cpu, *map.features().find(*missing.begin()));
}

// Whether the module lets leaf 1's EAX be `eax` instead of the physical CPU's.
bool is_configurable(const HostCapabilities& host, std::uint32_t own, std::uint32_t eax) {
  const auto* listed = find_cpuid(host.configurable_cpuid, 1, 0);
  return listed != nullptr && ((own ^ eax) & ~listed->eax) == 0;
}

void apply_signature(Planning& planning, const RequestedCpu& requested, CpuidEntries& wanted) {
  const auto& model = *requested.model;
  const auto leaf = std::ranges::find(wanted, 1U, &CpuidEntry::function);
  if (leaf == wanted.end() || model.signatures.empty()) return;
  // The host's own stepping where the host is such a model.
  for (const auto& signature : model.signatures)
    if (signature.matches(leaf->eax)) return;
  const auto eax = model.signatures.front().leaf_1_eax();
  if (is_configurable(planning.host, leaf->eax, eax)) {
    leaf->eax = eax;
  } else if (!requested.silent) {
    planning.add(Severity::Note, "cpu-model-signature", kModelPath,
                 fmt::format("CPU model '{}': the TD shows the physical CPU's family, model and stepping "
                             "(CPUID.01H:EAX {:#x}): this host's KVM and TDX module do not list others",
                             model.name, leaf->eax));
  }
}

}  // namespace

bool names_model(const Cpu& cpu) { return cpu.mode == "host-model" || cpu.mode == "custom"; }

void apply_feature_names(FeatureNames& features, const std::vector<CpuFeature>& elements,
                         const CpuModelMap& map) {
  for (const auto& element : elements) {
    const auto* known = map.features().find(element.name);
    if (known == nullptr || !known->is_of_processor()) continue;
    features.erase(known->name);
    if (!takes_away(element.policy)) features.insert(known->name);
  }
}

RequestedCpu request_cpu(Planning& planning, const Cpu& cpu, const CpuModelMap& map) {
  if (cpu.vendor_id && *cpu.vendor_id != kVendorId)
    planning.error(
        "cpu-vendor-id", kModelPath,
        fmt::format("vendor_id '{}': the TDX module shows every TD '{}'", *cpu.vendor_id, kVendorId),
        "remove vendor_id");
  auto requested =
      cpu.mode == "host-model" ? request_host_model(planning, map) : request_custom(planning, cpu, map);
  if (!requested.model) return requested;
  apply_feature_names(requested.features, cpu.features, map);
  return requested;
}

void apply_model(Planning& planning, const Cpu& cpu, const RequestedCpu& requested, const CpuModelMap& map,
                 CpuidEntries& wanted) {
  const auto& td = planning.plan.config.td;
  const TdCpu td_cpu(planning.host, td.xfam, td.attributes);
  FeatureNames missing;
  const auto of_model = left_to_the_model(cpu, requested, map);
  for (const auto& feature : map.features().features()) {
    if (!feature.is_of_processor()) continue;
    const bool asked = requested.features.contains(feature.name);
    const bool possible = td_cpu.can_have(feature);
    if (asked && !possible && of_model.contains(feature.name)) missing.insert(feature.name);
    for (const auto& bit : feature.bits) {
      if (asked && possible) assign(wanted, bit, true);
      if ((!asked || !possible) && td_cpu.bit(bit).can_be_0) assign(wanted, bit, false);
    }
  }
  apply_signature(planning, requested, wanted);
  report_missing(planning, missing, requested, td_cpu, map);
}

void check_planned_cpu(Planning& planning, const Cpu& cpu, const RequestedCpu& requested,
                       const CpuModelMap& map) {
  if (!requested.model || requested.silent) return;
  const auto shown = map.features_in(predict_cpuid(planning.plan.config.td));
  auto extra = without(shown, requested.features);
  extra.erase(std::string(kTopologyFeature));
  const auto text = fmt::format(
      "CPU model '{}': a TD on this host has {} more features, which the TDX module "
      "fixes to 1 or takes from the physical CPU: {}",
      requested.model->name, extra.size(), join(extra));
  if (!extra.empty() && cpu.check == "full")
    planning.error("cpu-check-full", "/domain/cpu", text, "use check='partial', or name them with <feature>");
  else if (!extra.empty())
    planning.add(Severity::Note, "cpu-model-extra", "/domain/cpu", text);
  if (cpu.match != "strict") return;
  const auto beyond = without(td_features(planning.host, map), requested.features);
  if (!beyond.empty())
    planning.error("cpu-match-strict", "/domain/cpu",
                   fmt::format("match='strict' of CPU model '{}': this host has more: {}",
                               requested.model->name, join(beyond)),
                   "use match='exact'");
}

}  // namespace virttdx::domain_xml
