// SPDX-License-Identifier: GPL-2.0-or-later
// virConnectCompareCPU, virConnectBaselineCPU and their hypervisor forms.
#include <algorithm>
#include <optional>

#include "cpu/cpu_map_cache.h"
#include "cpu/host_model.h"
#include "cpu/td_cpu.h"
#include "domain_xml/cpu_models.h"
#include "elements/elements.h"
#include "xml/reader.h"
#include "xml/writer.h"

namespace virttdx::domain_xml {
namespace {

/// A `<cpu>` of any kind, reduced to what it must have and must not have.
struct DescribedCpu {
  std::string vendor;  ///< empty: any
  FeatureNames required;
  FeatureNames forbidden;
  bool strict = false;
};

template <class... Arguments>
tl::unexpected<Error> refuse(const xml::Element& element, fmt::format_string<Arguments...> format,
                             Arguments&&... arguments) {
  return fail(Error::Code::XmlInvalid, "line {}: {}", element.line,
              fmt::format(format, std::forward<Arguments>(arguments)...));
}

Result<> take_model(const xml::Element& element, const CpuModelMap& map, DescribedCpu& cpu) {
  const auto name = element.text();
  const auto* model = map.find_model(name);
  if (model == nullptr) return refuse(element, "CPU model '{}' is unknown to libvirt's CPU map", name);
  if (cpu.vendor.empty()) cpu.vendor = model->vendor;
  cpu.required.insert(model->features.begin(), model->features.end());
  return {};
}

Result<> take_feature(const xml::Element& element, const CpuModelMap& map, DescribedCpu& cpu) {
  const auto name = element.attribute_text("name"), policy = element.attribute_text("policy");
  const auto* feature = map.features().find(name);
  if (feature == nullptr) return refuse(element, "CPU feature '{}' is unknown to libvirt's CPU map", name);
  // MSRs are the TDX module's alone, and no description of what KVM offers has them.
  if (!feature->is_of_processor()) return {};
  cpu.required.erase(feature->name);
  if (policy.empty() || policy == "require" || policy == "force") cpu.required.insert(feature->name);
  if (policy == "forbid") cpu.forbidden.insert(feature->name);
  return {};
}

Result<DescribedCpu> read_description(std::string_view xml, const CpuModelMap& map) {
  const auto root = TRY(xml::read_document(xml));
  if (root.name != "cpu") return refuse(root, "a CPU is described by <cpu>, not by <{}>", root.name);
  DescribedCpu cpu;
  cpu.strict = root.attribute_text("match") == "strict";
  if (const auto* vendor = root.child("vendor")) cpu.vendor = vendor->text();
  if (const auto* model = root.child("model")) TRY(take_model(*model, map, cpu));
  for (const auto& child : root.children)
    if (child.name == "feature") TRY(take_feature(child, map, cpu));
  return cpu;
}

FeatureNames features_of(ComparedCpu cpu, const HostCapabilities& host, const CpuModelMap& map) {
  return cpu == ComparedCpu::TrustDomain ? td_features(host, map) : map.features_in(host.supported_cpuid);
}

FeatureNames common(const FeatureNames& left, const FeatureNames& right) {
  return without(left, without(left, right));
}

// The same CPU written with all its features instead of those beyond the model.
void expand(Cpu& cpu, const FeatureNames& features) {
  cpu.features.clear();
  for (const auto& name : features) cpu.features.push_back({name, CpuFeaturePolicy::Require});
}

std::string to_xml(const Cpu& cpu) {
  xml::Element root;
  write_cpu(root, cpu, {});
  return xml::write_element(root.children.front());
}

Result<DescribedCpu> intersection(std::span<const std::string> xmls, const CpuModelMap& map) {
  std::optional<DescribedCpu> all;
  for (const auto& xml : xmls) {
    auto cpu = TRY(read_description(xml, map));
    if (!all) {
      all = std::move(cpu);
      continue;
    }
    if (!all->vendor.empty() && !cpu.vendor.empty() && all->vendor != cpu.vendor)
      return fail(Error::Code::ConfigUnsupported, "CPUs of vendors '{}' and '{}' have nothing in common",
                  all->vendor, cpu.vendor);
    if (all->vendor.empty()) all->vendor = cpu.vendor;
    all->required = common(all->required, cpu.required);
  }
  if (!all) return fail(Error::Code::InvalidArgument, "no CPU to find a baseline of; give at least one");
  return std::move(*all);
}

}  // namespace

Result<CpuComparison> compare_cpu(std::string_view cpu_xml, ComparedCpu with, const HostCapabilities& host,
                                  const PlanSources& sources) {
  const auto kept = TRY(cpu_model_map(sources.cpu_map));
  const auto& map = *kept;
  const auto cpu = TRY(read_description(cpu_xml, map));
  const auto offered = features_of(with, host, map);
  if (!cpu.vendor.empty() && cpu.vendor != "Intel")
    return CpuComparison{CpuCompareResult::Incompatible,
                         fmt::format("Host CPU vendor does not match required CPU vendor {}", cpu.vendor)};
  if (const auto missing = without(cpu.required, offered); !missing.empty())
    return CpuComparison{
        CpuCompareResult::Incompatible,
        fmt::format("{} does not provide required features: {}",
                    with == ComparedCpu::Host ? "Host CPU" : "A TD on this host", join(missing))};
  if (const auto refused = common(cpu.forbidden, offered); !refused.empty())
    return CpuComparison{CpuCompareResult::Incompatible,
                         fmt::format("Host CPU provides forbidden features: {}", join(refused))};
  const auto more = without(offered, cpu.required);
  if (more.empty()) return CpuComparison{CpuCompareResult::Identical, {}};
  if (cpu.strict)
    return CpuComparison{CpuCompareResult::Incompatible,
                         fmt::format("Host CPU does not strictly match: it has more: {}", join(more))};
  return CpuComparison{CpuCompareResult::Superset, {}};
}

Result<std::string> baseline_cpu(std::span<const std::string> cpu_xmls, const HostCapabilities& host,
                                 const BaselineOptions& options, const PlanSources& sources) {
  const auto kept = TRY(cpu_model_map(sources.cpu_map));
  const auto& map = *kept;
  auto all = TRY(intersection(cpu_xmls, map));
  if (options.for_cpu == ComparedCpu::TrustDomain)
    all.required = common(all.required, td_features(host, map));
  // libvirt's only feature that bars migration.
  if (options.migratable) all.required.erase("invtsc");
  const auto nearest = nearest_model(all.required, 0, map, options.models);
  if (!nearest || (!all.vendor.empty() && all.vendor != "Intel"))
    return fail(Error::Code::ConfigUnsupported,
                "no CPU model of Intel's describes what the CPUs have in common");
  auto cpu = to_cpu(*nearest);
  if (options.expand_features) expand(cpu, all.required);
  return to_xml(cpu);
}

}  // namespace virttdx::domain_xml
