// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "elements/elements.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array<std::string_view, 2> kNames = {"enrolled-keys", "secure-boot"};

// In libvirt's order of attributes.
constexpr std::array kTable = {
    property<&FirmwareFeature::enabled, YesNo>("@enabled", {.required = true}),
    property<&FirmwareFeature::name, Word<kNames>>("@name", {.required = true}),
};
constexpr std::array kChildren = {ChildRule{"feature", true}};

}  // namespace

Result<std::vector<FirmwareFeature>> read_firmware_features(const Place& place) {
  TRY(refuse_unknown(place, {}, kChildren));
  std::vector<FirmwareFeature> features;
  for (const auto& child : place.element.children)
    TRY(read_properties(place.child(child), kTable, features.emplace_back()));
  return features;
}

void write_firmware_features(xml::Element& parent, const std::vector<FirmwareFeature>& features,
                             const WriteContext& context) {
  if (features.empty()) return;
  auto& element = parent.add_child("firmware");
  for (const auto& feature : features)
    write_properties(element.add_child("feature"), kTable, feature, context);
}

}  // namespace virttdx::domain_xml
