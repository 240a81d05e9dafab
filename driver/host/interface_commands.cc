// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/interface_commands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

namespace virttdx::driver {
namespace {

using domain_xml::BandwidthRate;
using Words = std::vector<std::string>;

// As libvirt's default.
constexpr auto kSwitchTimeout = "--timeout=5";
// What tc holds a burst in.
constexpr std::uint64_t kBurstMaximum = std::numeric_limits<std::uint32_t>::max() / 1024;
constexpr std::uint64_t kEthernetMtu = 1500;

enum class MayFail : bool { No, Yes };

HostCommand tc(std::initializer_list<std::string> words, MayFail may_fail = MayFail::No) {
  return {.program = "tc", .package = "iproute2", .arguments = words, .may_fail = may_fail == MayFail::Yes};
}

std::string rate(std::uint64_t kilobytes) { return fmt::format("{}kbps", kilobytes); }
std::string amount(std::uint64_t kilobytes) { return fmt::format("{}kb", kilobytes); }

// What the device sends waits in a bucket. A quantum of a packet is what tc-htb(8) advises; the default
// follows from the rate and is too small for low ones.
void limit_sent(std::vector<HostCommand>& commands, const std::string& device, const BandwidthRate& limit) {
  if (limit.average == 0) return;
  commands.push_back(tc({"qdisc", "add", "dev", device, "root", "handle", "1:", "htb", "default", "1"}));
  auto bucket = tc(
      {"class", "add", "dev", device, "parent", "1:", "classid", "1:1", "htb", "rate", rate(limit.average)});
  const auto add = [&](const char* name, std::string value) {
    bucket.arguments.insert(bucket.arguments.end(), {name, std::move(value)});
  };
  if (limit.peak != 0) add("ceil", rate(limit.peak));
  if (limit.burst != 0) add("burst", amount(limit.burst));
  add("quantum", std::to_string(std::max<std::uint64_t>(limit.average * 1024 / 8 / kEthernetMtu, 1)));
  commands.push_back(std::move(bucket));
  // Fairness among connections: a kernel without it limits all the same.
  commands.push_back(
      tc({"qdisc", "add", "dev", device, "parent", "1:1", "handle", "2:", "sfq", "perturb", "10"},
         MayFail::Yes));
}

// What it receives cannot wait: what is too much is dropped.
void limit_received(std::vector<HostCommand>& commands, const std::string& device,
                    const BandwidthRate& limit) {
  if (limit.average == 0) return;
  const auto burst = limit.burst != 0 ? limit.burst : std::min(limit.average, kBurstMaximum);
  commands.push_back(tc({"qdisc", "add", "dev", device, "ingress"}));
  commands.push_back(
      tc({"filter", "add",         "dev", device, "parent", "ffff:",  "protocol", "all",
          "u32",    "match",       "u32", "0",    "0",      "police", "rate",     rate(limit.average),
          "burst",  amount(burst), "mtu", "64kb", "drop",   "flowid", ":1"}));
}

HostCommand switch_command(Words words) {
  words.insert(words.begin(), kSwitchTimeout);
  return {.program = "ovs-vsctl",
          .package = "openvswitch-switch",
          .arguments = std::move(words),
          .may_fail = false};
}

void add_vlans(Words& words, const domain_xml::SwitchPort& port) {
  if (!port.native_mode.empty()) {
    words.push_back("vlan_mode=native-" + port.native_mode);
    words.push_back(fmt::format("tag={}", port.native_vlan));
  }
  if (port.is_trunk)
    words.push_back(fmt::format("trunk={}", fmt::join(port.vlans, ",")));
  else if (!port.vlans.empty())
    words.push_back(fmt::format("tag={}", port.vlans.front()));
}

// A port of that name that somebody has left behind is another's.
HostCommand join_switch(const std::string& domain_uuid, const domain_xml::Interface& interface,
                        const domain_xml::SwitchPort& port) {
  const auto& device = *interface.target_dev;
  Words words = {"--",  "--if-exists", "del-port", device, "--", "add-port", *interface.source->bridge,
                 device};
  add_vlans(words, port);
  // A string as ovs-vsctl(8) takes it is JSON's: a comma or an equals sign in it is no other key.
  const auto set = [&](const char* name, const std::string& value) {
    const auto quoted = nlohmann::json(value).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    words.insert(words.end(),
                 {"--", "set", "Interface", device, fmt::format("external-ids:{}={}", name, quoted)});
  };
  set("attached-mac", interface.mac.value_or(""));
  set("iface-id", port.interface_id);
  set("vm-id", domain_uuid);
  if (!port.profile_id.empty()) set("port-profile", port.profile_id);
  set("iface-status", "active");
  return switch_command(std::move(words));
}

}  // namespace

std::vector<HostCommand> shape_traffic(const std::string& device, const domain_xml::Bandwidth& bandwidth,
                                       bool shares_view) {
  std::vector<HostCommand> commands = {tc({"qdisc", "del", "dev", device, "root"}, MayFail::Yes),
                                       tc({"qdisc", "del", "dev", device, "ingress"}, MayFail::Yes)};
  const auto& sent = shares_view ? bandwidth.outbound : bandwidth.inbound;
  const auto& received = shares_view ? bandwidth.inbound : bandwidth.outbound;
  limit_sent(commands, device, sent.value_or(BandwidthRate()));
  limit_received(commands, device, received.value_or(BandwidthRate()));
  return commands;
}

std::vector<HostCommand> set_up_interface(const std::string& domain_uuid,
                                          const domain_xml::Interface& interface) {
  if (!interface.target_dev) return {};
  if (const auto port = domain_xml::switch_port_of(interface);
      port && interface.source && interface.source->bridge)
    return {join_switch(domain_uuid, interface, *port)};
  const auto bandwidth = domain_xml::bandwidth_of(interface);
  if (bandwidth == domain_xml::Bandwidth()) return {};
  return shape_traffic(*interface.target_dev, bandwidth, interface.type == "direct");
}

std::vector<HostCommand> take_down_interface(const domain_xml::Interface& interface) {
  if (!interface.target_dev || !domain_xml::switch_port_of(interface)) return {};
  return {switch_command({"--", "--if-exists", "del-port", *interface.target_dev})};
}

}  // namespace virttdx::driver
