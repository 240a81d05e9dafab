// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/interface_traffic.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "domain_xml/domain.h"
#include "elements/shape.h"
#include "xml/writer.h"

namespace virttdx::domain_xml {
namespace {

using Amount = std::uint64_t BandwidthRate::*;
// In libvirt's order.
constexpr std::array<std::pair<std::string_view, Amount>, 4> kAmounts = {
    {{"average", &BandwidthRate::average},
     {"peak", &BandwidthRate::peak},
     {"floor", &BandwidthRate::floor},
     {"burst", &BandwidthRate::burst}}};

std::optional<xml::Element> element_of(const Interface& interface, std::string_view name) {
  const auto found = std::ranges::find(interface.others, name, &OtherElement::element);
  return found == interface.others.end() ? std::nullopt : std::optional(parsed(*found));
}

// The shape of the element lets numbers through, and no others.
std::uint64_t number_of(const std::string& text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::optional<BandwidthRate> rate_of(const xml::Element& bandwidth, std::string_view direction) {
  const auto* const element = bandwidth.child(direction);
  if (element == nullptr) return std::nullopt;
  BandwidthRate rate;
  for (const auto& [name, amount] : kAmounts) rate.*amount = number_of(element->attribute_text(name));
  return rate;
}

void add_rate(xml::Element& bandwidth, std::string_view direction, const std::optional<BandwidthRate>& rate) {
  if (!rate) return;
  auto& element = bandwidth.add_child(direction);
  for (const auto& [name, amount] : kAmounts)
    if ((*rate).*amount != 0) element.add_attribute(name, std::to_string((*rate).*amount));
}

void replace(Interface& interface, std::string_view name, std::string xml) {
  const auto found = std::ranges::find(interface.others, name, &OtherElement::element);
  auto& place = found == interface.others.end() ? interface.others.emplace_back() : *found;
  place.element = name;
  place.xml = std::move(xml);
}

void read_vlans(const xml::Element& vlan, SwitchPort& port) {
  for (const auto& tag : vlan.children) {
    port.vlans.push_back(number_of(tag.attribute_text("id")));
    if (const auto mode = tag.attribute_text("nativeMode"); !mode.empty()) {
      port.native_mode = mode;
      port.native_vlan = port.vlans.back();
    }
  }
  port.is_trunk = vlan.attribute_text("trunk") == "yes" || port.vlans.size() > 1 || !port.native_mode.empty();
}

bool is_open_vswitch(const std::optional<xml::Element>& virtual_port) {
  return virtual_port && virtual_port->attribute_text("type") == "openvswitch";
}

}  // namespace

Bandwidth bandwidth_of(const Interface& interface) {
  const auto element = element_of(interface, "bandwidth");
  if (!element) return {};
  return {rate_of(*element, "inbound"), rate_of(*element, "outbound")};
}

std::string format_bandwidth(const Bandwidth& bandwidth) {
  if (bandwidth == Bandwidth()) return {};
  xml::Element element;
  element.name = "bandwidth";
  add_rate(element, "inbound", bandwidth.inbound);
  add_rate(element, "outbound", bandwidth.outbound);
  return xml::write_element(element);
}

void set_bandwidth(Interface& interface, const Bandwidth& bandwidth) {
  if (bandwidth == Bandwidth())
    std::erase_if(interface.others, [](const OtherElement& other) { return other.element == "bandwidth"; });
  else
    replace(interface, "bandwidth", format_bandwidth(bandwidth));
}

std::optional<SwitchPort> switch_port_of(const Interface& interface) {
  const auto element = element_of(interface, "virtualport");
  if (!is_open_vswitch(element)) return std::nullopt;
  SwitchPort port;
  if (const auto* const parameters = element->child("parameters")) {
    port.interface_id = parameters->attribute_text("interfaceid");
    port.profile_id = parameters->attribute_text("profileid");
  }
  if (const auto vlan = element_of(interface, "vlan")) read_vlans(*vlan, port);
  return port;
}

void complete_switch_port(Interface& interface) {
  auto element = element_of(interface, "virtualport");
  if (!is_open_vswitch(element)) return;
  if (element->children.empty()) element->add_child("parameters");
  auto& parameters = element->children.front();
  if (parameters.attribute("interfaceid") != nullptr) return;
  parameters.attributes.insert(parameters.attributes.begin(), {"interfaceid", {}, new_uuid()});
  replace(interface, "virtualport", xml::write_element(*element));
}

}  // namespace virttdx::domain_xml
