// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <array>

#include "domain_xml/interface_traffic.h"
#include "plan/device_planning.h"
#include "plan/user_network.h"

namespace virttdx::domain_xml {
namespace {

constexpr auto kInterfacePath = "/domain/devices/interface";

class InterfacePlan {
 public:
  InterfacePlan(Planning& planning, const Interface& interface)
      : planning_(planning), interface_(interface) {}
  std::optional<NetworkInterfaceConfig> make();

 private:
  bool refuse(std::string message, std::string remedy);
  bool plan_host_side();
  bool plan_network();
  bool plan_direct();
  bool plan_user();
  bool plan_device();
  void plan_features();
  bool plan_vhost();
  bool plan_others();
  bool is_offered(const OtherElement& other) const;
  bool plan_traffic();

  Planning& planning_;
  const Interface& interface_;
  NetworkInterfaceConfig config_;
};

bool InterfacePlan::refuse(std::string message, std::string remedy) {
  refuse_device(planning_, interface_, kInterfacePath,
                fmt::format("interface {}: {}", interface_.mac.value_or(""), message), std::move(remedy));
  return false;
}

std::optional<MacvtapMode> macvtap_mode(std::string_view mode) {
  if (mode == "vepa") return MacvtapMode::Vepa;
  if (mode == "bridge") return MacvtapMode::Bridge;
  if (mode == "private") return MacvtapMode::Private;
  if (mode == "passthrough") return MacvtapMode::Passthrough;
  return std::nullopt;
}

bool InterfacePlan::plan_network() {
  config_.backend = NetworkBackend::Tap;
  // The check of a definition: no network daemon is asked.
  if (planning_.resources == nullptr) return true;
  const auto found = planning_.resources->networks.find(*interface_.mac);
  if (found == planning_.resources->networks.end())
    return refuse(fmt::format("network '{}' is not active", *interface_.source->network),
                  "start it with virsh net-start, and check that the network daemon runs");
  const auto& network = found->second;
  if (network.link) config_.backend = NetworkBackend::Macvtap;
  config_.bridge = network.bridge;
  config_.link = network.link;
  config_.macvtap_mode = network.macvtap_mode;
  config_.mtu = network.mtu;
  return true;
}

bool InterfacePlan::plan_direct() {
  config_.backend = NetworkBackend::Macvtap;
  config_.link = interface_.source->dev;
  const auto mode = macvtap_mode(interface_.source->mode.value_or("vepa"));
  if (!mode)
    return refuse(fmt::format("mode '{}' is not offered", *interface_.source->mode),
                  "use mode 'vepa', 'bridge', 'private' or 'passthrough'");
  config_.macvtap_mode = *mode;
  return true;
}

bool InterfacePlan::plan_user() {
  config_.backend = NetworkBackend::Passt;
  if (interface_.source) config_.link = interface_.source->dev;
  auto fault = plan_user_network(interface_, config_);
  return fault ? refuse(std::move(fault->message), std::move(fault->remedy)) : true;
}

bool InterfacePlan::plan_host_side() {
  const auto& type = interface_.type;
  config_.device = interface_.target_dev.value_or(type == "direct" ? "macvtap%d" : "vnet%d");
  if (type == "network") return plan_network();
  if (type == "direct") return plan_direct();
  if (type == "user") return plan_user();
  if (type == "ethernet") return true;
  if (type == "bridge") {
    config_.bridge = interface_.source->bridge;
    return true;
  }
  return refuse(fmt::format("type '{}' is not offered", type),
                "use type 'network', 'bridge', 'ethernet', 'direct' or 'user'");
}

// As libvirt's QEMU driver: where the host has it, unless the definition wants otherwise. User networking
// has no use for it.
bool InterfacePlan::plan_vhost() {
  const auto& name = interface_.driver.name;
  if (name == "qemu" || config_.backend == NetworkBackend::Passt) return true;
  config_.vhost = planning_.host.vhost_net;
  if (name == "vhost" && !config_.vhost)
    return refuse("vhost-net was requested for an interface, but is unavailable",
                  "load vhost_net and see that /dev/vhost-net can be opened, or use <driver name='qemu'/>");
  return true;
}

void InterfacePlan::plan_features() {
  const auto withhold = [this](const std::optional<bool>& wanted, NetworkFeature feature) {
    if (wanted == false) config_.without.push_back(feature);
  };
  const auto& host = interface_.driver.host;
  const auto& guest = interface_.driver.guest;
  withhold(host.csum, NetworkFeature::Csum);
  withhold(host.tso4, NetworkFeature::HostTso4);
  withhold(host.tso6, NetworkFeature::HostTso6);
  withhold(host.ecn, NetworkFeature::HostEcn);
  withhold(host.mrg_rxbuf, NetworkFeature::MrgRxbuf);
  withhold(guest.csum, NetworkFeature::GuestCsum);
  withhold(guest.tso4, NetworkFeature::GuestTso4);
  withhold(guest.tso6, NetworkFeature::GuestTso6);
  withhold(guest.ecn, NetworkFeature::GuestEcn);
}

bool InterfacePlan::plan_device() {
  const auto model = interface_.model.value_or("virtio");
  if (model != "virtio" && model != "virtio-non-transitional")
    return refuse(fmt::format("model '{}' is not offered: a TD has virtio interfaces", model),
                  "use <model type='virtio'/>");
  const auto& driver = interface_.driver;
  constexpr std::uint32_t kLimit = 0xFFFF;
  config_.queue_pairs = static_cast<std::uint16_t>(std::min(driver.queues.value_or(1), kLimit));
  config_.rx_queue_size = static_cast<std::uint16_t>(std::min(driver.rx_queue_size.value_or(256), kLimit));
  config_.tx_queue_size = static_cast<std::uint16_t>(std::min(driver.tx_queue_size.value_or(256), kLimit));
  config_.event_index = driver.event_idx != false;
  config_.link_up = interface_.link_state != "down";
  if (interface_.mtu) config_.mtu = static_cast<std::uint16_t>(std::min(*interface_.mtu, kLimit));
  config_.boot_index = interface_.boot_order;
  config_.id = interface_.alias.value_or(*interface_.mac);
  config_.mac = *interface_.mac;
  config_.address = pci_address_of(interface_);
  plan_features();
  if (!plan_vhost()) return false;
  if (config_.backend == NetworkBackend::Passt && config_.queue_pairs > 1)
    return refuse("user networking has one pair of queues", "remove 'queues' from <driver>");
  return true;
}

// Limits and ports of a switch are set by who starts the monitor, once the device has a name.
bool InterfacePlan::is_offered(const OtherElement& other) const {
  if (config_.backend == NetworkBackend::Passt) return is_of_user_network(other);
  const bool is_on_switch = interface_.type == "bridge" && switch_port_of(interface_);
  return other.element == "bandwidth" ||
         (is_on_switch && (other.element == "virtualport" || other.element == "vlan"));
}

bool InterfacePlan::plan_traffic() {
  const auto bandwidth = bandwidth_of(interface_);
  if (bandwidth.inbound && bandwidth.inbound->floor != 0 && interface_.type != "network")
    return refuse("'floor' of <bandwidth> is offered by networks that libvirt routes only",
                  "remove it, or use type='network'");
  if (!switch_port_of(interface_)) return true;
  if (bandwidth != Bandwidth())
    return refuse("<bandwidth> is not offered for a port of Open vSwitch",
                  "remove it, and limit the port by ovs-vsctl");
  if (interface_.source->bridge->starts_with('-'))
    return refuse(fmt::format("'{}' is no name of a bridge", *interface_.source->bridge), "correct it");
  config_.bridge.reset();
  return true;
}

bool InterfacePlan::plan_others() {
  if (interface_.script) return refuse("<script> is not offered", "remove it; use a bridge or a hook");
  for (const auto& other : interface_.others)
    if (!is_offered(other)) return refuse(fmt::format("<{}> is not offered", other.element), "remove it");
  if (!plan_traffic()) return false;
  if (interface_.isolated == true) return refuse("<port isolated='yes'/> is not offered", "remove it");
  return true;
}

std::optional<NetworkInterfaceConfig> InterfacePlan::make() {
  if (!plan_host_side() || !plan_device() || !plan_others()) return std::nullopt;
  return config_;
}

}  // namespace

void plan_interfaces(Planning& planning) {
  for (const auto& interface : planning.domain.devices.interfaces)
    if (auto config = InterfacePlan(planning, interface).make())
      planning.plan.config.devices.interfaces.push_back(*std::move(config));
}

}  // namespace virttdx::domain_xml
