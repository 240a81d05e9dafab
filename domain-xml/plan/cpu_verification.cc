// SPDX-License-Identifier: GPL-2.0-or-later
// check='full' after launch: the CPU that a TD got against the one that was asked for.
#include <algorithm>

#include "cpu/cpu_map_cache.h"
#include "cpu/td_cpu.h"
#include "domain_xml/cpu_models.h"
#include "plan/cpu_model.h"
#include "plan/planning.h"
#include "vmm_backend/tdx_cpuid_classes.h"

namespace virttdx::domain_xml {
namespace {

bool is_computed(const CpuidBit& bit) {
  return tdx_cpuid_bit(bit.function, bit.index, bit.reg, bit.bit).bit_class == TdxCpuidClass::Dynamic;
}

// What a definition of a mode without a model means is what it was told to get.
FeatureNames requested_features(const Domain& domain, const HostCapabilities& host,
                                const PlanSources& sources, const CpuModelMap& map,
                                const FeatureNames& predicted) {
  const auto& cpu = *domain.cpu;
  Planning planning(domain, host, sources);
  auto features = names_model(cpu) ? request_cpu(planning, cpu, map).features : predicted;
  apply_feature_names(features, cpu.features, map);
  // An optional feature is asked for where it can be had.
  for (const auto& feature : cpu.features) {
    const auto* known = map.features().find(feature.name);
    if (known == nullptr || feature.policy != CpuFeaturePolicy::Optional) continue;
    if (!predicted.contains(known->name)) features.erase(known->name);
  }
  return features;
}

// "aes (CPUID.01H:ECX.aes [bit 25])"
void describe(std::string& text, std::string_view kind, const FeatureNames& names, const CpuModelMap& map) {
  std::string list;
  for (const auto& name : names) {
    const auto& bits = map.features().find(name)->bits;
    if (name == kTopologyFeature || std::ranges::any_of(bits, is_computed)) continue;
    const auto& bit = bits.front();
    list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", name,
                        bit_name(bit.function, bit.index, bit.reg, bit.bit));
  }
  if (!list.empty()) text += fmt::format("{}{} features: {}", text.empty() ? "" : ", ", kind, list);
}

// Bits that are no feature of libvirt's, and other vCPUs: only the prediction tells what they should be.
void describe_nameless(std::string& text, const std::vector<CpuidDifference>& wrong, const CpuModelMap& map) {
  std::string list;
  for (const auto& bit : wrong) {
    const bool named = !map.features().name_of({bit.function, bit.index, bit.reg, bit.bit}).empty();
    if (named && bit.vcpu == 0) continue;
    list += fmt::format("{}{} is {:d}", list.empty() ? "" : ", ", to_string(bit), bit.actual);
  }
  if (!list.empty()) text += fmt::format("{}other bits: {}", text.empty() ? "" : ", ", list);
}

}  // namespace

Result<> verify_cpu(const Domain& domain, const GuestCpuid& guest, const HostCapabilities& host,
                    const PlanSources& sources) {
  if (!domain.cpu || domain.cpu->check != "full") return {};
  const auto kept = TRY(cpu_model_map(sources.cpu_map));
  const auto& map = *kept;
  const auto asked = requested_features(domain, host, sources, map, map.features_in(predict_cpuid(guest)));
  const auto shown = map.features_in(seen_by_guest(guest.report));
  std::string text;
  describe(text, "missing", without(asked, shown), map);
  describe(text, "extra", without(shown, asked), map);
  describe_nameless(text, wrong_predictions(guest), map);
  if (text.empty()) return {};
  return fail(Error::Code::ConfigUnsupported,
              "guest CPU doesn't match specification: {}; check='full' lets no TD run with a CPU other than "
              "asked for: use check='partial', or change the CPU's features",
              text);
}

}  // namespace virttdx::domain_xml
