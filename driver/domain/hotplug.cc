// SPDX-License-Identifier: GPL-2.0-or-later
// Devices of a running domain: disks and interfaces that it is given and asked to let go, links of
// interfaces.
#include <libvirt/libvirt.h>

#include <QTimer>
#include <algorithm>
#include <utility>

#include "domain/domain_service.h"
#include "domain/live_devices.h"
#include "domain/run_resources.h"
#include "support/log.h"
#include "vmm_backend/storage_daemon.h"

namespace virttdx::driver {
namespace {

// Within five seconds the guest takes a second press of its slot's button as "stay" (PCI
// Express 3.0, 6.7.1.5).
constexpr std::chrono::seconds kBetweenRequests{6};

// libvirt's: so long a guest is waited for. What it lets go later, it lets go all the same.
constexpr std::chrono::seconds kRemovalPatience{5};

Result<> refuse_second_request(LiveDomain& live, const std::string& alias) {
  const auto now = std::chrono::steady_clock::now();
  const auto [request, is_first] = live.unplugging.try_emplace(alias);
  if (!is_first && now - request->second.asked < kBetweenRequests)
    return fail(Error::Code::Internal, "device '{}' is already in the process of unplug", alias);
  request->second.asked = now;
  return {};
}

const domain_xml::Interface* find_interface(const DomainRecord& record, const std::string& alias) {
  const auto& interfaces = record.live->definition.devices.interfaces;
  const auto found = std::ranges::find(interfaces, alias, &domain_xml::Interface::alias);
  return found == interfaces.end() ? nullptr : &*found;
}

}  // namespace

void DomainService::attach_device(const RecordPtr& record, const domain_xml::DeviceElement& device,
                                  Completion done) {
  run_job(record, "remoteDispatchDomainAttachDeviceFlags", std::move(done),
          [this, record, device](Completion finish) {
            if (auto allowed = check_operation(Operation::Query, record->phase); !allowed)
              return finish(std::move(allowed));
            const auto alias = add_device(*record, device);
            if (!alias) return finish(tl::unexpected(alias.error()));
            const auto end = [this, record, id = record->id, alias = *alias,
                              finish = std::move(finish)](const Result<>& plugged) {
              if (!plugged && record->id == id) not_plugged(*record, alias);
              finish(plugged);
            };
            device.devices.interfaces.empty() ? plug_disk(record, *alias, end)
                                              : plug_interface(record, *alias, end);
          });
}

// The status has it before the monitor does: a daemon that is killed meanwhile leaves nothing that the next
// one does not know (compare_devices()).
Result<std::string> DomainService::add_device(DomainRecord& record,
                                              const domain_xml::DeviceElement& device) const {
  auto plugged = TRY(domain_xml::plug_device(record.live->definition, device, definition_defaults()));
  record.live->definition.devices = std::move(plugged.live.devices);
  if (!device.devices.interfaces.empty())
    name_network_port(record.live->definition.devices.interfaces.back());
  record.live->changed = true;
  save_status(record);
  return std::move(plugged.alias);
}

// Volumes and secrets of the others have been asked when they came.
void DomainService::plug_disk(const RecordPtr& record, const std::string& alias, Completion done) {
  domain_xml::Domain alone = record->live->definition;
  alone.devices.interfaces.clear();
  std::erase_if(alone.devices.disks, [&](const domain_xml::Disk& each) { return each.alias != alias; });
  resources_.acquire(resources_asked(alone),
                     [this, record, alias, done = std::move(done)](const Result<Resources>& resources) {
                       if (!resources) return done(tl::unexpected(resources.error()));
                       open_disk(record, alias, *resources, done);
                     });
}

void DomainService::open_disk(const RecordPtr& record, const std::string& alias, const Resources& resources,
                              const Completion& done) {
  if (auto runs = check_operation(Operation::Query, record->phase); !runs) return done(std::move(runs));
  const auto taken = take_resources(record->live->definition, resources);
  const auto config =
      domain_xml::plan_plugged_disk(record->live->definition, alias, host_.capabilities, taken);
  if (!config) return done(tl::unexpected(config.error()));
  const auto took = [this, record, config = *config, done](const Result<>& added) {
    if (!added) return done(added);
    if (!record->live) return done(fail(Error::Code::WrongState, "domain is not running"));
    save_status(*record);
    emit_device(*record, VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, config.id);
    done({});
  };
  if (needs_storage_daemon(*config))
    return opener_.add_disk({record->live->process.control_socket, store_.log_file(record->name)}, *config,
                            descriptors_of(resources.secrets), took);
  const nlohmann::json arguments = {{"disk", disk_config_to_json(*config)}};
  ask_monitor(record, control_command::kDeviceAdd, arguments, [took](const Result<ControlReply>& reply) {
    took(reply ? Result<>() : tl::unexpected(reply.error()));
  });
}

void DomainService::plug_interface(const RecordPtr& record, const std::string& alias, Completion done) {
  ResourceRequest request;
  request.domain_name = record->name;
  request.domain_uuid = record->uuid;
  if (const auto* const interface = find_interface(*record, alias)) request.ports = network_ports(*interface);
  resources_.acquire(std::move(request),
                     [this, record, alias, done = std::move(done)](const Result<Resources>& resources) {
                       if (!resources) return done(tl::unexpected(resources.error()));
                       open_interface(record, alias, *resources, done);
                     });
}

void DomainService::open_interface(const RecordPtr& record, const std::string& alias,
                                   const Resources& resources, const Completion& done) {
  if (auto runs = check_operation(Operation::Query, record->phase); !runs) return done(std::move(runs));
  const auto taken = take_resources(record->live->definition, resources);
  const auto config =
      domain_xml::plan_plugged_interface(record->live->definition, alias, host_.capabilities, taken);
  if (!config) return done(tl::unexpected(config.error()));
  opener_.add_interface({record->live->process.control_socket, store_.log_file(record->name)}, *config,
                        [this, record, config = *config, done](const Result<>& added) {
                          if (!added) return done(added);
                          took_interface(record, config, done);
                        });
}

void DomainService::took_interface(const RecordPtr& record, const NetworkInterfaceConfig& config,
                                   Completion done) {
  if (!record->live) return done(fail(Error::Code::WrongState, "domain is not running"));
  emit_device(*record, VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, config.id);
  // The name of its device on the host.
  device_statistics(record, [this, record, id = config.id, done = std::move(done)](const auto& statistics) {
    if (!statistics || !record->live) return done({});
    describe_live_interfaces(record->live->definition, *statistics);
    save_status(*record);
    set_up_plugged(record, id, done);
  });
}

void DomainService::not_plugged(DomainRecord& record, const std::string& alias) {
  if (record.live && drop_device(record, alias)) save_status(record);
}

void DomainService::detach_device(const RecordPtr& record, const std::string& alias, Completion done) {
  run_job(record, "remoteDispatchDomainDetachDeviceFlags", std::move(done),
          [this, record, alias](Completion finish) {
            if (auto allowed = check_operation(Operation::Query, record->phase); !allowed)
              return finish(std::move(allowed));
            if (auto first = refuse_second_request(*record->live, alias); !first)
              return finish(std::move(first));
            ask_monitor(record, control_command::kDeviceRemove, {{"id", alias}},
                        [record, alias, finish = std::move(finish)](const Result<ControlReply>& reply) {
                          if (reply) return wait_for_removal(record, alias, finish);
                          if (record->live) record->live->unplugging.erase(alias);
                          finish(tl::unexpected(reply.error()));
                        });
          });
}

// A guest may be faster than its monitor's reply.
void DomainService::wait_for_removal(const RecordPtr& record, const std::string& alias, Completion done) {
  if (!record->live) return done(fail(Error::Code::WrongState, "domain is not running"));
  const auto unplugging = record->live->unplugging.find(alias);
  if (unplugging == record->live->unplugging.end()) return done({});
  unplugging->second.waiting = std::move(done);
  const auto asked = unplugging->second.asked;
  const std::weak_ptr<DomainRecord> weak = record;
  QTimer::singleShot(kRemovalPatience, [weak, alias, asked, id = record->id] {
    const auto domain = weak.lock();
    if (!domain || domain->id != id || !domain->live) return;
    const auto kept = domain->live->unplugging.find(alias);
    // Another of its name may be on its way by then.
    if (kept == domain->live->unplugging.end() || kept->second.asked != asked) return;
    if (const auto waiting = std::exchange(kept->second.waiting, nullptr)) waiting({});
  });
}

void DomainService::update_interface(const RecordPtr& record, const domain_xml::Interface& updated,
                                     Completion done) {
  run_job(record, "remoteDispatchDomainUpdateDeviceFlags", std::move(done),
          [this, record, updated](Completion finish) {
            if (auto allowed = check_operation(Operation::Query, record->phase); !allowed)
              return finish(std::move(allowed));
            limit_updated(record, updated,
                          [this, record, updated, finish = std::move(finish)](const Result<>& limited) {
                            limited ? set_link(record, updated, finish) : finish(limited);
                          });
          });
}

void DomainService::set_link(const RecordPtr& record, const domain_xml::Interface& updated, Completion done) {
  const nlohmann::json arguments = {{"id", updated.alias.value_or("")}, {"up", updated.link_state != "down"}};
  ask_monitor(record, control_command::kLinkSet, arguments,
              [this, record, updated, done = std::move(done)](const Result<ControlReply>& reply) {
                if (!reply) return done(tl::unexpected(reply.error()));
                took_interface_change(*record, updated);
                done({});
              });
}

void DomainService::took_interface_change(DomainRecord& record, const domain_xml::Interface& updated) {
  if (!record.live) return;
  for (auto& interface : record.live->definition.devices.interfaces)
    if (interface.alias == updated.alias) {
      interface.link_state = updated.link_state;
      domain_xml::set_bandwidth(interface, domain_xml::bandwidth_of(updated));
    }
  record.live->changed = true;
  save_status(record);
}

// What other daemons gave for it is given back.
bool DomainService::drop_device(DomainRecord& record, const std::string& alias) {
  auto& devices = record.live->definition.devices;
  if (const auto* const interface = find_interface(record, alias)) {
    delete_macvtap(*interface);
    forget_interface(*interface);
    resources_.release(network_ports(*interface), [] {});
  }
  const auto is_it = [&](const auto& device) { return device.alias == alias; };
  return std::erase_if(devices.disks, is_it) + std::erase_if(devices.interfaces, is_it) != 0;
}

// A guest may switch off any slot, asked or not.
void DomainService::device_removed(DomainRecord& record, const std::string& alias) {
  const auto unplugging = record.live->unplugging.extract(alias);
  if (!drop_device(record, alias))
    return log::warning("domain '{}': its guest has switched off device '{}'", record.name, alias);
  record.live->changed = true;
  save_status(record);
  emit_device(record, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, alias);
  if (unplugging && unplugging.mapped().waiting) unplugging.mapped().waiting({});
}

// After a time without a daemon: what the guest has let go of, and what an attach did not come to give it.
void DomainService::compare_devices(const RecordPtr& record) {
  const std::weak_ptr<DomainRecord> weak = record;
  device_statistics(record, [this, weak](const Result<DeviceStatistics>& statistics) {
    const auto domain = weak.lock();
    if (!domain || !domain->live || !statistics) return;
    for (const auto& alias : absent_devices(domain->live->definition, *statistics))
      device_removed(*domain, alias);
  });
}

void DomainService::emit_device(const DomainRecord& record, int event_id, const std::string& alias) const {
  emit({.event_id = event_id, .name = record.name, .uuid = record.uuid, .id = record.id, .text = alias});
}

}  // namespace virttdx::driver
