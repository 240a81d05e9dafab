// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain/run_resources.h"

#include <algorithm>
#include <array>
#include <utility>

namespace virttdx::driver {
namespace {

constexpr std::array kMacvtapModes = {
    std::pair<std::string_view, MacvtapMode>{"vepa", MacvtapMode::Vepa},
    std::pair<std::string_view, MacvtapMode>{"bridge", MacvtapMode::Bridge},
    std::pair<std::string_view, MacvtapMode>{"private", MacvtapMode::Private},
    std::pair<std::string_view, MacvtapMode>{"passthrough", MacvtapMode::Passthrough}};

MacvtapMode macvtap_mode(const std::optional<std::string>& name) {
  const auto found =
      std::ranges::find_if(kMacvtapModes, [&](const auto& mode) { return mode.first == name; });
  return found == kMacvtapModes.end() ? MacvtapMode::Vepa : found->second;
}

bool is_of_network(const domain_xml::Interface& interface) {
  return interface.type == "network" && interface.source && interface.source->network && interface.mac;
}

}  // namespace

void name_network_ports(domain_xml::Domain& domain) {
  for (auto& interface : domain.devices.interfaces)
    if (is_of_network(interface)) interface.source->port_id = domain_xml::new_uuid();
}

std::vector<NetworkPortRequest> network_ports(const domain_xml::Domain& domain) {
  std::vector<NetworkPortRequest> ports;
  for (const auto& interface : domain.devices.interfaces)
    if (is_of_network(interface) && interface.source->port_id)
      ports.push_back({.mac = *interface.mac,
                       .network = *interface.source->network,
                       .port_group = interface.source->portgroup.value_or(""),
                       .port_uuid = *interface.source->port_id});
  return ports;
}

ResourceRequest resources_asked(const domain_xml::Domain& domain) {
  ResourceRequest request{
      .domain_name = domain.name, .domain_uuid = domain.uuid, .ports = network_ports(domain), .volumes = {}};
  for (const auto& disk : domain.devices.disks)
    if (disk.type == "volume" && disk.source)
      request.volumes.push_back({.target = disk.target_dev,
                                 .pool = disk.source->pool.value_or(""),
                                 .volume = disk.source->volume.value_or("")});
  return request;
}

domain_xml::RunResources take_resources(domain_xml::Domain& domain, const Resources& resources) {
  domain_xml::RunResources taken;
  for (const auto& [target, place] : resources.volumes) {
    auto& source = taken.volumes[target];
    source.protocol = place.is_block_device ? DiskProtocol::Block : DiskProtocol::File;
    source.path = place.path;
  }
  for (auto& interface : domain.devices.interfaces) {
    const auto found = interface.mac ? resources.ports.find(*interface.mac) : resources.ports.end();
    if (found == resources.ports.end()) continue;
    const auto& port = found->second;
    taken.networks[*interface.mac] = {
        .bridge = port.bridge, .link = port.link, .macvtap_mode = macvtap_mode(port.mode), .mtu = port.mtu};
    interface.source->bridge = port.bridge;
  }
  return taken;
}

}  // namespace virttdx::driver
