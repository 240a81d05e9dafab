// SPDX-License-Identifier: GPL-2.0-or-later
#include "plan/td_attributes.h"

#include <algorithm>
#include <array>

namespace virttdx::domain_xml {
namespace {

using Class = TdAttributeClass;
constexpr bool kAllowed = true, kRefused = false, kHonoured = true, kNotHonoured = false;

constexpr std::array kAttributes = {
    TdAttribute{0, "DEBUG", Class::UnderDebug, kAllowed, kHonoured},
    TdAttribute{4, "HGS_PLUS_PROF", Class::UnderDebug, kRefused, kNotHonoured},
    TdAttribute{5, "PERF_PROF", Class::UnderProfiling, kRefused, kNotHonoured},
    TdAttribute{6, "PMT_PROF", Class::UnderProfiling, kRefused, kNotHonoured},
    TdAttribute{16, "ICSSD", Class::Security, kAllowed, kHonoured},
    TdAttribute{17, "SERVTD_EXT", Class::Other, kRefused, kNotHonoured},
    TdAttribute{27, "LASS", Class::Security, kAllowed, kHonoured},
    TdAttribute{28, "SEPT_VE_DISABLE", Class::Security, kAllowed, kHonoured},
    TdAttribute{29, "MIGRATABLE", Class::Security, kAllowed, kNotHonoured},
    TdAttribute{30, "PKS", Class::Security, kAllowed, kHonoured},
    TdAttribute{31, "KL", Class::Security, kRefused, kNotHonoured},
    TdAttribute{62, "TPA", Class::Other, kRefused, kNotHonoured},
    TdAttribute{63, "PERFMON", Class::Other, kAllowed, kHonoured},
};

struct FeatureAttribute {
  std::string_view feature;
  unsigned bit;
};
constexpr std::array kFeatureAttributes = {FeatureAttribute{"lass", 27}, FeatureAttribute{"pks", 30},
                                           FeatureAttribute{"kl", 31}};

struct Refusal {
  const char* id;
  std::string why;
  std::string remedy;
};

std::optional<Refusal> refusal_of(const HostCapabilities& host, unsigned bit) {
  const auto* attribute = find_td_attribute(bit);
  if (attribute == nullptr)
    return Refusal{"tdx-attribute-reserved", "is unknown to the TDX module, which refuses reserved bits",
                   "remove it"};
  if (!attribute->module_allows)
    return Refusal{"tdx-attribute-module", "is defined, but TDX modules 1.5 do not let a TD have it",
                   "remove it"};
  if ((host.supported_attributes >> bit & 1) == 0)
    return Refusal{
        "tdx-attribute-kvm",
        fmt::format("is not offered by this host's KVM (offered: {:#x})", host.supported_attributes),
        "remove it or use a host whose KVM lists it"};
  if (!attribute->honoured)
    return Refusal{"tdx-attribute-not-honoured",
                   "is offered by this host, but virttdx has nothing to serve it with: a TD is not migrated",
                   "remove it"};
  return std::nullopt;
}

}  // namespace

std::span<const TdAttribute> td_attributes() { return kAttributes; }

const TdAttribute* find_td_attribute(unsigned bit) {
  const auto found = std::ranges::find(kAttributes, bit, &TdAttribute::bit);
  return found == kAttributes.end() ? nullptr : &*found;
}

bool check_td_attribute(Planning& planning, unsigned bit, const AttributeRequest& request) {
  const auto refusal = refusal_of(planning.host, bit);
  if (!refusal) return true;
  const auto* attribute = find_td_attribute(bit);
  const auto name = attribute == nullptr ? std::string_view("reserved") : attribute->name;
  auto& finding =
      planning.add(request.severity, refusal->id, request.xml_path,
                   fmt::format("{}: bit {} ({}) {}", request.what, bit, name, refusal->why), refusal->remedy);
  finding.bit = fmt::format("ATTRIBUTES.{} [bit {}]", name, bit);
  finding.line = request.line;
  return false;
}

std::optional<unsigned> attribute_of_feature(std::string_view feature) {
  const auto found = std::ranges::find(kFeatureAttributes, feature, &FeatureAttribute::feature);
  return found == kFeatureAttributes.end() ? std::nullopt : std::optional(found->bit);
}

}  // namespace virttdx::domain_xml
