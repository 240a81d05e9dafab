// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain/run_resources.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "domain_xml/cookies.h"
#include "support/log.h"
#include "support/macvtap_link.h"

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

void ask(std::vector<SecretRequest>& requests, const domain_xml::Disk& disk, SecretUse use,
         const domain_xml::Secret& secret) {
  requests.push_back({.target = disk.target_dev,
                      .use = use,
                      .uuid = secret.uuid.value_or(""),
                      .usage = secret.usage.value_or(""),
                      .type = secret.type});
}

// A source's own come before those of the disk around it, as the plan takes them.
void ask_secrets(std::vector<SecretRequest>& requests, const domain_xml::Disk& disk) {
  if (!disk.source) return;
  const auto& authentication =
      disk.source->authentication ? disk.source->authentication : disk.authentication;
  if (authentication && authentication->secret)
    ask(requests, disk, SecretUse::Authentication, *authentication->secret);
  const auto& encryption = disk.source->encryption ? disk.source->encryption : disk.encryption;
  if (encryption && encryption->secrets.size() == 1)
    ask(requests, disk, SecretUse::Encryption, encryption->secrets.front());
}

// Wrong ones are the plan's to refuse.
void ask_cookies(std::vector<CookiesRequest>& requests, const domain_xml::Disk& disk) {
  if (!disk.source) return;
  if (auto header = domain_xml::cookie_header(*disk.source).value_or(std::nullopt))
    requests.push_back({.target = disk.target_dev, .header = *std::move(header)});
}

std::optional<std::string> file_of(const UniqueFd& pipe) {
  if (!pipe) return std::nullopt;
  return fmt::format("/proc/self/fd/{}", pipe.get());
}

}  // namespace

void name_network_port(domain_xml::Interface& interface) {
  if (is_of_network(interface)) interface.source->port_id = domain_xml::new_uuid();
}

void name_network_ports(domain_xml::Domain& domain) {
  for (auto& interface : domain.devices.interfaces) name_network_port(interface);
}

void forget_network_ports(domain_xml::Domain& domain) {
  for (auto& interface : domain.devices.interfaces)
    if (interface.source) interface.source->port_id.reset();
}

std::vector<NetworkPortRequest> network_ports(const domain_xml::Interface& interface) {
  std::vector<NetworkPortRequest> ports;
  if (is_of_network(interface) && interface.source->port_id)
    ports.push_back({.mac = *interface.mac,
                     .network = *interface.source->network,
                     .port_group = interface.source->portgroup.value_or(""),
                     .port_uuid = *interface.source->port_id,
                     .bandwidth = domain_xml::bandwidth_of(interface)});
  return ports;
}

std::vector<NetworkPortRequest> network_ports(const domain_xml::Domain& domain) {
  std::vector<NetworkPortRequest> ports;
  for (const auto& interface : domain.devices.interfaces)
    std::ranges::move(network_ports(interface), std::back_inserter(ports));
  return ports;
}

void delete_macvtap(const domain_xml::Interface& interface) {
  if (!interface.source || !interface.source->dev || !interface.mac) return;
  const auto deleted = delete_macvtap_links(*interface.source->dev, *interface.mac);
  if (!deleted) log::warning("interface {}: {}", *interface.mac, deleted.error().message());
}

ResourceRequest resources_asked(const domain_xml::Domain& domain) {
  ResourceRequest request;
  request.domain_name = domain.name;
  request.domain_uuid = domain.uuid;
  request.ports = network_ports(domain);
  for (const auto& disk : domain.devices.disks) {
    ask_secrets(request.secrets, disk);
    ask_cookies(request.cookies, disk);
  }
  for (const auto& disk : domain.devices.disks)
    if (disk.type == "volume" && disk.source)
      request.volumes.push_back({.target = disk.target_dev,
                                 .pool = disk.source->pool.value_or(""),
                                 .volume = disk.source->volume.value_or("")});
  return request;
}

namespace {

// As libvirt: the definition leaves the format of a volume open until it is used, and then it is raw.
void take_formats(domain_xml::Domain& domain, const Resources& resources) {
  for (auto& disk : domain.devices.disks)
    if (!disk.driver.type && resources.volumes.contains(disk.target_dev)) disk.driver.type = "raw";
}

}  // namespace

domain_xml::RunResources take_resources(domain_xml::Domain& domain, const Resources& resources) {
  domain_xml::RunResources taken;
  take_formats(domain, resources);
  for (const auto& [target, place] : resources.volumes) {
    auto& source = taken.volumes[target];
    source.protocol = place.is_block_device ? DiskProtocol::Block : DiskProtocol::File;
    source.path = place.path;
  }
  for (const auto& [target, secrets] : resources.secrets)
    taken.secret_files[target] = {file_of(secrets.authentication), file_of(secrets.encryption),
                                  file_of(secrets.cookies)};
  for (auto& interface : domain.devices.interfaces) {
    const auto found = interface.mac ? resources.ports.find(*interface.mac) : resources.ports.end();
    if (found == resources.ports.end()) continue;
    const auto& port = found->second;
    taken.networks[*interface.mac] = {
        .bridge = port.bridge, .link = port.link, .macvtap_mode = macvtap_mode(port.mode), .mtu = port.mtu};
    interface.source->bridge = port.bridge;
    domain_xml::set_bandwidth(interface, port.bandwidth);
  }
  return taken;
}

std::vector<int> descriptors_of(const std::map<std::string, DiskSecrets>& secrets) {
  std::vector<int> descriptors;
  for (const auto& [target, of_disk] : secrets)
    for (const auto* pipe : {&of_disk.authentication, &of_disk.encryption, &of_disk.cookies})
      if (*pipe) descriptors.push_back(pipe->get());
  return descriptors;
}

}  // namespace virttdx::driver
