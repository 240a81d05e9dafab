// SPDX-License-Identifier: GPL-2.0-or-later
// Questions about network interfaces: what they did, which addresses they have.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "api/agent_answer.h"
#include "api/find_device.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "api/leases.h"
#include "host/neighbours.h"

namespace virttdx::driver::api {
namespace {

remote_domain_interface_stats_ret wire_stats(const InterfaceStatistics& counts) {
  const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  return {.rx_bytes = number(counts.received_bytes),
          .rx_packets = number(counts.received_packets),
          .rx_errs = number(counts.received_errors),
          .rx_drop = number(counts.received_drops),
          .tx_bytes = number(counts.sent_bytes),
          .tx_packets = number(counts.sent_packets),
          .tx_errs = number(counts.sent_errors),
          .tx_drop = number(counts.sent_drops)};
}

// Interfaces that the host has heard of.
std::vector<remote_domain_interface> heard_of(Arena& arena, const domain_xml::Domain& domain) {
  std::vector<remote_domain_interface> interfaces;
  for (const auto& interface : domain.devices.interfaces) {
    if (!interface.mac) continue;
    std::vector<remote_domain_ip_addr> addresses;
    for (const auto& address : arp_addresses(*interface.mac))
      addresses.push_back({.type = VIR_IP_ADDR_TYPE_IPV4, .addr = arena.text(address), .prefix = 0});
    if (addresses.empty()) continue;
    auto& row = interfaces.emplace_back();
    row.name = arena.text(interface.target_dev.value_or(interface.alias.value_or("")));
    row.hwaddr = arena.optional_text(*interface.mac);
    arena.array(row.addrs.addrs_len, row.addrs.addrs_val, std::move(addresses));
  }
  return interfaces;
}

// Interfaces without a lease are left out, as libvirt's QEMU driver does.
std::vector<remote_domain_interface> leased(Arena& arena,
                                            const std::vector<domain_xml::Interface>& interfaces,
                                            const std::vector<DhcpLease>& leases) {
  std::vector<remote_domain_interface> rows;
  for (const auto& interface : interfaces) {
    std::vector<remote_domain_ip_addr> addresses;
    for (const auto& lease : leases)
      if (lease.mac == *interface.mac)
        addresses.push_back({.type = lease.is_ipv6 ? VIR_IP_ADDR_TYPE_IPV6 : VIR_IP_ADDR_TYPE_IPV4,
                             .addr = arena.text(lease.address),
                             .prefix = lease.prefix});
    if (addresses.empty()) continue;
    auto& row = rows.emplace_back();
    row.name = arena.text(interface.target_dev.value_or(interface.alias.value_or("")));
    row.hwaddr = arena.optional_text(*interface.mac);
    arena.array(row.addrs.addrs_len, row.addrs.addrs_val, std::move(addresses));
  }
  return rows;
}

std::vector<remote_domain_ip_addr> addresses_in(Arena& arena, const nlohmann::json& list) {
  std::vector<remote_domain_ip_addr> addresses;
  for (const auto& entry : list) {
    const auto address = text_of(entry, "ip-address");
    const bool is_ipv6 = text_of(entry, "ip-address-type") == "ipv6";
    if (!address) continue;
    addresses.push_back({.type = is_ipv6 ? VIR_IP_ADDR_TYPE_IPV6 : VIR_IP_ADDR_TYPE_IPV4,
                         .addr = arena.text(*address),
                         .prefix = static_cast<u_int>(integer_of(entry, "prefix").value_or(0))});
  }
  return addresses;
}

std::vector<remote_domain_interface> told_by_agent(Arena& arena, const nlohmann::json& answer) {
  std::vector<remote_domain_interface> interfaces;
  for (const auto& entry : bounded_list(answer)) {
    auto& row = interfaces.emplace_back();
    row.name = arena.text(text_of(entry, "name").value_or(""));
    if (const auto mac = text_of(entry, "hardware-address")) row.hwaddr = arena.optional_text(*mac);
    arena.array(row.addrs.addrs_len, row.addrs.addrs_val,
                addresses_in(arena, list_of(entry, "ip-addresses")));
  }
  return interfaces;
}

template <typename Interfaces>
void reply_with(const Deferred<remote_domain_interface_addresses_ret>& reply, const Interfaces& interfaces) {
  Arena arena;
  remote_domain_interface_addresses_ret ret{};
  arena.array(ret.ifaces.ifaces_len, ret.ifaces.ifaces_val, interfaces(arena));
  reply.succeed(ret);
}

}  // namespace

Answer domain_interface_stats(Session& session, const remote_domain_interface_stats_args& args,
                              Deferred<remote_domain_interface_stats_ret> reply) {
  const RecordPtr record = TRY(find_record(session, args.dom));
  TRY(check_operation(Operation::Query, record->phase));
  const auto* interface = TRY(find_interface(record->live->definition, shortened(args.device)));
  session.service().device_statistics(record, [reply, interface = *interface](const auto& statistics) {
    if (!statistics) return reply.fail(statistics.error());
    const auto* counts = statistics_of(*statistics, interface);
    counts != nullptr ? reply.succeed(wire_stats(*counts))
                      : reply.fail(Error(Error::Code::Internal, "the monitor tells nothing of it"));
  });
  return {};
}

Answer domain_interface_addresses(Session& session, const remote_domain_interface_addresses_args& args,
                                  Deferred<remote_domain_interface_addresses_ret> reply) {
  CHECK_FLAGS(args.flags, 0, "virDomainInterfaceAddresses");
  if (session.read_only() && args.source == VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)
    return tl::unexpected(read_only_error("virDomainInterfaceAddresses"));
  const RecordPtr record = TRY(find_record(session, args.dom));
  TRY(check_operation(Operation::Query, record->phase));
  if (args.source > VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP)
    return tl::unexpected(wire_error(VIR_ERR_ARGUMENT_UNSUPPORTED,
                                     fmt::format("Unknown IP address data source {}", args.source)));
  if (args.source == VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT) {
    ask_agent(session, record, {.name = "guest-network-get-interfaces"},
              [reply](const WireResult<nlohmann::json>& answer) {
                answer ? reply_with(reply, [&](Arena& arena) { return told_by_agent(arena, *answer); })
                       : reply.fail(answer.error());
              });
    return {};
  }
  if (args.source == VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE) {
    auto interfaces = interfaces_on_networks(record->live->definition);
    session.service().host_resources().ask_leases(
        requests_for(interfaces), [reply, interfaces](const Result<std::vector<DhcpLease>>& leases) {
          leases ? reply_with(reply, [&](Arena& arena) { return leased(arena, interfaces, *leases); })
                 : reply.fail(leases.error());
        });
    return {};
  }
  reply_with(reply, [&](Arena& arena) { return heard_of(arena, record->live->definition); });
  return {};
}

}  // namespace virttdx::driver::api
