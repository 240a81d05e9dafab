// SPDX-License-Identifier: GPL-2.0-or-later
// What devices have in common: `<boot>`, `<alias>`, `<acpi>`, `<address>`.
#pragma once

#include <array>

#include "domain_xml/devices.h"
#include "elements/property_table.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {

/// Nothing for an address of type pci without a place: it is assigned.
Result<std::optional<DeviceAddress>> read_address(const Place& place);
void write_address(xml::Element& parent, const DeviceAddress& address);

/// Rules of the children that read_device_info() reads.
inline constexpr std::array kInfoRules = {ChildRule{"boot"}, ChildRule{"alias"}, ChildRule{"acpi"},
                                          ChildRule{"address"}};
Result<> read_device_info(const Place& place, DeviceInfo& info);
/// In libvirt's order; inactive definitions keep a user's alias only.
void write_device_info(xml::Element& element, const DeviceInfo& info, const WriteContext& context);

/// Of the user ("ua-..."), not of one run.
bool is_user_alias(std::string_view alias);

/// `<driver>`'s attributes of virtio devices, at `kMembers` of `Owner`.
template <typename Owner, auto... kMembers>
constexpr std::array<Row<Owner>, 3> kVirtioRows = {
    deep_property<Owner, OnOff, kMembers..., &VirtioOptions::iommu>("driver/@iommu"),
    deep_property<Owner, OnOff, kMembers..., &VirtioOptions::ats>("driver/@ats"),
    deep_property<Owner, OnOff, kMembers..., &VirtioOptions::packed>("driver/@packed"),
};

/// Rules of an element's own children and kInfoRules.
template <std::size_t kSize>
constexpr std::array<ChildRule, kSize + kInfoRules.size()> with_info(
    const std::array<ChildRule, kSize>& children) {
  std::array<ChildRule, kSize + kInfoRules.size()> rules{};
  std::copy(children.begin(), children.end(), rules.begin());
  std::copy(kInfoRules.begin(), kInfoRules.end(), rules.begin() + kSize);
  return rules;
}

}  // namespace virttdx::domain_xml
