// SPDX-License-Identifier: GPL-2.0-or-later
// `<ip>` and `<portForward>` of an interface that passt serves.
#include "plan/user_network.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <charconv>

#include "elements/shape.h"

namespace virttdx::domain_xml {
namespace {

using Fault = std::optional<UserNetworkFault>;

enum class Family : std::uint8_t { None, Ipv4, Ipv6 };

Family family_of(const std::string& address) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  if (::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) return Family::Ipv4;
  return ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1 ? Family::Ipv6 : Family::None;
}

std::optional<std::string> text_of(const xml::Element& element, std::string_view name) {
  const auto* const attribute = element.attribute(name);
  return attribute == nullptr ? std::nullopt : std::optional(attribute->value);
}

// Numbers have been read once: what is there fits.
std::optional<std::uint16_t> number_of(const xml::Element& element, std::string_view name) {
  const auto text = element.attribute_text(name);
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && !text.empty() ? std::optional(number) : std::nullopt;
}

// libvirt's rules; passt has no prefix for IPv6.
Fault check_prefix(Family family, std::optional<std::uint16_t> prefix) {
  if (!prefix || *prefix == 0) return std::nullopt;
  if (family == Family::Ipv4 && (*prefix < 4 || *prefix > 27))
    return UserNetworkFault{"invalid prefix, must be in range of 4-27", "write a prefix from 4 to 27"};
  if (family == Family::Ipv6 && *prefix > 120)
    return UserNetworkFault{"prefix too long", "write a prefix of at most 120"};
  return std::nullopt;
}

Fault plan_address(const xml::Element& element, NetworkInterfaceConfig& config) {
  const auto address = element.attribute_text("address");
  const Family family = family_of(address);
  const auto written = text_of(element, "family");
  const bool agrees = !written || (*written == "ipv6") == (family == Family::Ipv6);
  if (family == Family::None || !agrees)
    return UserNetworkFault{
        fmt::format("address '{}' of <ip> is none of its family", address),
        "write an address as 10.0.2.15 with family='ipv4', or as fd00::15 with family='ipv6'"};
  for (const auto& other : config.addresses)
    if (family_of(other.address) == family)
      return UserNetworkFault{fmt::format("only one {} address per interface is allowed",
                                          family == Family::Ipv4 ? "IPv4" : "IPv6"),
                              "remove the others"};
  if (text_of(element, "peer")) return UserNetworkFault{"peers are not supported", "remove 'peer' from <ip>"};
  const auto prefix = number_of(element, "prefix");
  if (auto fault = check_prefix(family, prefix)) return fault;
  auto& planned = config.addresses.emplace_back();
  planned.address = address;
  if (family == Family::Ipv4 && prefix && *prefix != 0) planned.prefix = static_cast<std::uint8_t>(*prefix);
  return std::nullopt;
}

Fault plan_range(const xml::Element& element, PortForward& forward) {
  auto& range = forward.ranges.emplace_back();
  range.start = number_of(element, "start").value_or(0);
  range.end = number_of(element, "end");
  range.to = number_of(element, "to");
  range.exclude = element.attribute_text("exclude") == "yes";
  const std::uint32_t more = range.end.value_or(range.start) - std::uint32_t{range.start};
  if (range.end && *range.end < range.start)
    return UserNetworkFault{fmt::format("range of ports {} to {} is empty", range.start, *range.end),
                            "write an 'end' that is not below 'start'"};
  if (range.to && *range.to + more > 0xFFFF)
    return UserNetworkFault{fmt::format("range of ports {} to {} does not fit behind port {} of the guest",
                                        range.start, *range.end, *range.to),
                            "write a lower 'to'"};
  return std::nullopt;
}

Fault plan_forward(const Interface& interface, const xml::Element& element, NetworkInterfaceConfig& config) {
  if (interface.backend_type != "passt")
    return UserNetworkFault{
        "The <portForward> element can only be used with <interface type='user'> and its 'passt' backend",
        "add <backend type='passt'/>"};
  auto& forward = config.port_forwards.emplace_back();
  forward.protocol =
      element.attribute_text("proto") == "udp" ? TransportProtocol::Udp : TransportProtocol::Tcp;
  forward.address = text_of(element, "address");
  forward.device = text_of(element, "dev");
  if (forward.address && family_of(*forward.address) == Family::None)
    return UserNetworkFault{fmt::format("invalid address '{}' in <portForward>", *forward.address),
                            "write an IPv4 or IPv6 address of the host, or remove 'address'"};
  // passt takes none alone, and without it the port would be open on every device.
  if (forward.device && !forward.address)
    return UserNetworkFault{"'dev' of <portForward> needs 'address'", "add the address to listen on"};
  for (const auto& range : element.children)
    if (auto fault = plan_range(range, forward)) return fault;
  return std::nullopt;
}

}  // namespace

bool is_of_user_network(const OtherElement& element) {
  return element.element == "ip" || element.element == "portForward";
}

Fault plan_user_network(const Interface& interface, NetworkInterfaceConfig& config) {
  for (const auto& other : interface.others) {
    Fault fault;
    if (other.element == "ip") fault = plan_address(parsed(other), config);
    if (other.element == "portForward") fault = plan_forward(interface, parsed(other), config);
    if (fault) return fault;
  }
  return std::nullopt;
}

}  // namespace virttdx::domain_xml
