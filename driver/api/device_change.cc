// SPDX-License-Identifier: GPL-2.0-or-later
// virDomainAttachDevice and its siblings: of definitions; disks and interfaces of what runs.
#include "domain_xml/device_change.h"
#include "domain_xml/update_disk.h"
#include "domain_xml/update_interface.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"

namespace virttdx::driver::api {
namespace {

WireError device_error(const Error& error) {
  if (error.code() == Error::Code::NotFound) return wire_error(VIR_ERR_DEVICE_MISSING, error.message());
  return WireError(error);
}

Answer device_answer(const Result<>& result) {
  if (result) return {};
  return tl::unexpected(device_error(result.error()));
}

Result<> complete_changed(DomainService& service, domain_xml::Domain& domain,
                          const DomainService::Change& change) {
  TRY(change(domain));
  domain = TRY(domain_xml::complete_definition(std::move(domain), service.definition_defaults()));
  return {};
}

Result<> change_definition(DomainService& service, const RecordPtr& record,
                           const DomainService::Change& change) {
  return service.change(record, {.live = false, .config = true}, [&](domain_xml::Domain& domain) {
    return complete_changed(service, domain, change);
  });
}

// What is wrong with a change of the definition is found before what runs is changed.
Result<> try_definition(DomainService& service, const DomainRecord& record,
                        const DomainService::Change& change) {
  auto domain = *record.definition;
  return complete_changed(service, domain, change);
}

// A change of what runs.
using Live = std::function<void(Completion)>;

// Of what runs first, then of the definition.
struct WholeChange {
  DomainService& service;
  RecordPtr record;
  Impact impact;
  DomainService::Change definition;
  Live live;
};

Answer run_change(const WholeChange& change, const Deferred<void>& reply) {
  if (!change.impact.live) {
    const auto changed = change_definition(change.service, change.record, change.definition);
    if (!changed) return device_answer(changed);
    reply.succeed();
    return {};
  }
  if (change.impact.config)
    if (const auto tried = try_definition(change.service, *change.record, change.definition); !tried)
      return device_answer(tried);
  change.live([change, reply](const Result<>& lives) {
    auto changed = lives;
    if (lives && change.impact.config && change.record->persistent())
      changed = change_definition(change.service, change.record, change.definition);
    changed ? reply.succeed() : reply.fail(device_error(changed.error()));
  });
  return {};
}

Result<Live> live_update(DomainService& service, const RecordPtr& record,
                         const domain_xml::DeviceElement& device, bool force) {
  for (const auto& disk : device.devices.disks) {
    TRY(domain_xml::update_disk(record->live->definition, disk));
    return [&service, record, disk, force](Completion done) {
      service.update_disk(record, disk, force, std::move(done));
    };
  }
  const auto updated = TRY(domain_xml::update_interface(record->live->definition, device));
  return [&service, record, updated](Completion done) {
    service.update_interface(record, updated, std::move(done));
  };
}

// As with libvirt's drivers, attaching what a drive is there for already changes its medium.
bool is_medium(const DomainRecord& record, const domain_xml::DeviceElement& device) {
  if (device.devices.disks.empty() || device.devices.disks.front().device != "cdrom") return false;
  const auto& target = device.devices.disks.front().target_dev;
  return std::ranges::count(record.live->definition.devices.disks, target, &domain_xml::Disk::target_dev) !=
         0;
}

Result<Live> live_attach(DomainService& service, const RecordPtr& record,
                         const domain_xml::DeviceElement& device) {
  if (is_medium(*record, device)) return live_update(service, record, device, false);
  return
      [&service, record, device](Completion done) { service.attach_device(record, device, std::move(done)); };
}

Answer attach(Session& session, const remote_nonnull_domain& dom, const char* xml, unsigned flags,
              const Deferred<void>& reply) {
  const RecordPtr record = TRY(find_record(session, dom));
  const Impact impact = TRY(impact_of(*record, flags & kImpactFlags));
  auto device = TRY(domain_xml::parse_device(xml));
  domain_xml::give_mac_address(device);
  auto& service = session.service();
  Live live;
  if (impact.live) live = TRY(live_attach(service, record, device));
  return run_change(
      {service, record, impact,
       [device](domain_xml::Domain& domain) { return domain_xml::attach_device(domain, device); }, live},
      reply);
}

// `meant` is a DeviceElement or an alias.
template <typename Meant>
Answer detach(Session& session, const RecordPtr& record, unsigned flags, const Meant& meant,
              const Deferred<void>& reply) {
  const Impact impact = TRY(impact_of(*record, flags & kImpactFlags));
  std::string alias;
  if (impact.live) {
    auto found = domain_xml::plugged_alias(record->live->definition, meant);
    if (!found) return tl::unexpected(device_error(found.error()));
    alias = *std::move(found);
  }
  auto& service = session.service();
  return run_change(
      {service, record, impact,
       [meant](domain_xml::Domain& domain) { return domain_xml::detach_device(domain, meant); },
       [&service, record, alias](Completion done) { service.detach_device(record, alias, std::move(done)); }},
      reply);
}

Answer detach_xml(Session& session, const remote_nonnull_domain& dom, const char* xml, unsigned flags,
                  const Deferred<void>& reply) {
  const RecordPtr record = TRY(find_record(session, dom));
  const auto device = TRY(domain_xml::parse_device(xml));
  return detach(session, record, flags, device, reply);
}

}  // namespace

Answer domain_attach_device(Session& session, const remote_domain_attach_device_args& args,
                            Deferred<void> reply) {
  return attach(session, args.dom, args.xml, VIR_DOMAIN_AFFECT_LIVE, reply);
}

Answer domain_attach_device_flags(Session& session, const remote_domain_attach_device_flags_args& args,
                                  Deferred<void> reply) {
  CHECK_FLAGS(args.flags, kImpactFlags, "virDomainAttachDeviceFlags");
  return attach(session, args.dom, args.xml, args.flags, reply);
}

Answer domain_detach_device(Session& session, const remote_domain_detach_device_args& args,
                            Deferred<void> reply) {
  return detach_xml(session, args.dom, args.xml, VIR_DOMAIN_AFFECT_LIVE, reply);
}

Answer domain_detach_device_flags(Session& session, const remote_domain_detach_device_flags_args& args,
                                  Deferred<void> reply) {
  CHECK_FLAGS(args.flags, kImpactFlags, "virDomainDetachDeviceFlags");
  return detach_xml(session, args.dom, args.xml, args.flags, reply);
}

Answer domain_detach_device_alias(Session& session, const remote_domain_detach_device_alias_args& args,
                                  Deferred<void> reply) {
  CHECK_FLAGS(args.flags, kImpactFlags, "virDomainDetachDeviceAlias");
  const RecordPtr record = TRY(find_record(session, args.dom));
  return detach(session, record, args.flags, std::string(args.alias), reply);
}

Answer domain_update_device_flags(Session& session, const remote_domain_update_device_flags_args& args,
                                  Deferred<void> reply) {
  CHECK_FLAGS(args.flags, kImpactFlags | VIR_DOMAIN_DEVICE_MODIFY_FORCE, "virDomainUpdateDeviceFlags");
  const RecordPtr record = TRY(find_record(session, args.dom));
  const Impact impact = TRY(impact_of(*record, args.flags & kImpactFlags));
  const auto device = TRY(domain_xml::parse_device(args.xml));
  auto& service = session.service();
  Live live;
  if (impact.live) {
    const bool force = (args.flags & VIR_DOMAIN_DEVICE_MODIFY_FORCE) != 0;
    auto update = live_update(service, record, device, force);
    if (!update) return tl::unexpected(device_error(update.error()));
    live = *std::move(update);
  }
  return run_change(
      {service, record, impact,
       [device](domain_xml::Domain& domain) { return domain_xml::update_device(domain, device); }, live},
      reply);
}

}  // namespace virttdx::driver::api
