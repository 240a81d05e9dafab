// SPDX-License-Identifier: GPL-2.0-or-later
// What interfaces of running domains need of the host besides a device: limits, a port of a switch.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "domain/domain_service.h"
#include "domain_xml/interface_traffic.h"
#include "host/interface_commands.h"
#include "support/log.h"

namespace virttdx::driver {
namespace {

using domain_xml::Bandwidth;
using domain_xml::BandwidthRate;

constexpr std::array<std::string_view, 4> kLimitedTypes = {"network", "bridge", "ethernet", "direct"};

void log_what_stays(const Result<>& result) {
  if (!result) log::warning("{}", result.error().message());
}

// Who names a direction's average or floor gives all of that direction anew; 0 is no limit.
std::optional<BandwidthRate> changed(const std::optional<BandwidthRate>& old,
                                     const std::optional<BandwidthRate>& wanted) {
  if (!wanted) return old;
  return wanted->average == 0 && wanted->floor == 0 ? std::nullopt : wanted;
}

Result<domain_xml::Interface*> find_changed(domain_xml::Domain& domain, const std::string& mac) {
  auto& interfaces = domain.devices.interfaces;
  const auto found = std::ranges::find(interfaces, mac, &domain_xml::Interface::mac);
  if (found == interfaces.end()) return fail(Error::Code::InvalidArgument, "interface {} is gone", mac);
  return &*found;
}

Result<> change_bandwidth(domain_xml::Domain& domain, const std::string& mac, const Bandwidth& wanted) {
  auto& interface = *TRY(find_changed(domain, mac));
  const auto old = domain_xml::bandwidth_of(interface);
  domain_xml::set_bandwidth(interface,
                            {changed(old.inbound, wanted.inbound), changed(old.outbound, wanted.outbound)});
  return {};
}

// In libvirt's words, where it has some.
Result<> check_limited(const domain_xml::Interface& interface, const Bandwidth& wanted, bool live) {
  if (std::ranges::find(kLimitedTypes, interface.type) == kLimitedTypes.end())
    return fail(Error::Code::ConfigUnsupported,
                "setting bandwidth on interfaces of type '{}' is not implemented yet", interface.type);
  if (domain_xml::switch_port_of(interface))
    return fail(
        Error::Code::Unsupported,
        "interface {} is a port of Open vSwitch, whose own limits are not set from here; use ovs-vsctl",
        *interface.mac);
  if (!live || !wanted.inbound || wanted.inbound->floor == 0) return {};
  if (interface.type == "network")
    return fail(Error::Code::Unsupported,
                "'floor' of interface {} is its network's to keep: set it with --config", *interface.mac);
  return fail(
      Error::Code::Unsupported,
      "Invalid use of 'floor' on interface with MAC address {} - 'floor' is only supported for interface "
      "type 'network' with forward type 'nat', 'route', 'open' or none",
      *interface.mac);
}

}  // namespace

void DomainService::set_up_interfaces(const RecordPtr& record, Completion done) {
  std::vector<HostCommand> commands;
  for (const auto& interface : record->live->definition.devices.interfaces)
    std::ranges::move(set_up_interface(record->uuid, interface), std::back_inserter(commands));
  commands_.run(std::move(commands), std::move(done));
}

// The guest has it already: what cannot be limited is taken away again.
void DomainService::set_up_plugged(const RecordPtr& record, const std::string& alias, Completion done) {
  const auto& interfaces = record->live->definition.devices.interfaces;
  const auto found = std::ranges::find(interfaces, alias, &domain_xml::Interface::alias);
  if (found == interfaces.end()) return done({});
  commands_.run(set_up_interface(record->uuid, *found),
                [this, record, alias, done = std::move(done)](const Result<>& set_up) {
                  if (set_up || !record->live) return done(set_up);
                  ask_monitor(record, control_command::kDeviceRemove, {{"id", alias}}, [](const auto&) {});
                  done(set_up);
                });
}

// Nothing is undone because of what stays behind.
void DomainService::take_down_interfaces(const RecordPtr& record, std::function<void()> done) {
  std::vector<HostCommand> commands;
  for (const auto& interface : record->live->definition.devices.interfaces)
    std::ranges::move(take_down_interface(interface), std::back_inserter(commands));
  commands_.run(std::move(commands), [done = std::move(done)](const Result<>& taken) {
    log_what_stays(taken);
    done();
  });
}

void DomainService::forget_interface(const domain_xml::Interface& interface) {
  commands_.run(take_down_interface(interface), log_what_stays);
}

void DomainService::set_bandwidth(const RecordPtr& record, const Impact& impact, const std::string& mac,
                                  const domain_xml::Bandwidth& wanted, Completion done) {
  run_job(record, "remoteDispatchDomainSetInterfaceParameters", std::move(done),
          [this, record, impact, mac, wanted](Completion finish) {
            const auto change = [mac, wanted](domain_xml::Domain& domain) {
              return change_bandwidth(domain, mac, wanted);
            };
            auto commands = bandwidth_commands(*record, impact, mac, wanted);
            if (!commands) return finish(tl::unexpected(commands.error()));
            commands_.run(*std::move(commands), [this, record, impact, change,
                                                 finish = std::move(finish)](const Result<>& limited) {
              finish(limited ? this->change(record, impact, change) : limited);
            });
          });
}

// Nothing is run for an interface whose limits stay.
void DomainService::limit_updated(const RecordPtr& record, const domain_xml::Interface& updated,
                                  Completion done) {
  const auto wanted = domain_xml::bandwidth_of(updated);
  const auto live = find_changed(record->live->definition, updated.mac.value_or(""));
  if (!live) return done(tl::unexpected(live.error()));
  if (domain_xml::bandwidth_of(**live) == wanted) return done({});
  if (auto allowed = check_limited(updated, wanted, true); !allowed) return done(std::move(allowed));
  commands_.run(shape_traffic(updated.target_dev.value_or(""), wanted, updated.type == "direct"),
                std::move(done));
}

// Of a definition: none.
Result<std::vector<HostCommand>> DomainService::bandwidth_commands(const DomainRecord& record,
                                                                   const Impact& impact,
                                                                   const std::string& mac,
                                                                   const domain_xml::Bandwidth& wanted) {
  TRY(check_impact(record, impact));
  auto domain = impact.live ? record.live->definition : *record.definition;
  TRY(check_limited(*TRY(find_changed(domain, mac)), wanted, impact.live));
  if (!impact.live) return std::vector<HostCommand>();
  if (geteuid() != 0)
    return fail(Error::Code::Unsupported, "Network bandwidth tuning is not available in session mode");
  TRY(change_bandwidth(domain, mac, wanted));
  const auto& interface = *TRY(find_changed(domain, mac));
  return shape_traffic(interface.target_dev.value_or(""), domain_xml::bandwidth_of(interface),
                       interface.type == "direct");
}

}  // namespace virttdx::driver
