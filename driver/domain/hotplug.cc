// SPDX-License-Identifier: GPL-2.0-or-later
// Devices of a running domain: disks that it is given and asked to let go, links of interfaces.
#include <libvirt/libvirt.h>

#include <algorithm>

#include "domain/domain_service.h"
#include "support/log.h"

namespace virttdx::driver {
namespace {

// Within five seconds the guest takes a second press of its slot's button as "stay" (PCI
// Express 3.0, 6.7.1.5).
constexpr std::chrono::seconds kBetweenRequests{6};

Result<> refuse_second_request(LiveDomain& live, const std::string& alias) {
  const auto now = std::chrono::steady_clock::now();
  const auto [request, is_first] = live.unplugging.try_emplace(alias, now);
  if (!is_first && now - request->second < kBetweenRequests)
    return fail(Error::Code::Internal, "device '{}' is already in the process of unplug", alias);
  request->second = now;
  return {};
}

}  // namespace

void DomainService::attach_disk(const RecordPtr& record, const domain_xml::DeviceElement& device,
                                Completion done) {
  run_job(record, "remoteDispatchDomainAttachDeviceFlags", std::move(done),
          [this, record, device](Completion finish) {
            if (auto allowed = check_operation(Operation::Query, record->phase); !allowed)
              return finish(std::move(allowed));
            auto plugged = domain_xml::plug_disk(record->live->definition, device, host_.capabilities,
                                                 definition_defaults());
            if (!plugged) return finish(tl::unexpected(plugged.error()));
            const nlohmann::json arguments = {{"disk", disk_config_to_json(plugged->config)}};
            ask_monitor(
                record, control_command::kDeviceAdd, arguments,
                [this, record, plugged = *std::move(plugged), finish](const Result<ControlReply>& reply) {
                  if (!reply) return finish(tl::unexpected(reply.error()));
                  took_disk(*record, plugged);
                  finish({});
                });
          });
}

void DomainService::took_disk(DomainRecord& record, const domain_xml::PluggedDisk& plugged) {
  if (!record.live) return;
  record.live->definition.devices = plugged.live.devices;
  record.live->changed = true;
  save_status(record);
  change_monitor_config(record, [&](VmConfig& config) { config.devices.disks.push_back(plugged.config); });
  emit_device(record, VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, plugged.config.id);
}

void DomainService::detach_disk(const RecordPtr& record, const std::string& alias, Completion done) {
  run_job(record, "remoteDispatchDomainDetachDeviceFlags", std::move(done),
          [this, record, alias](Completion finish) {
            if (auto allowed = check_operation(Operation::Query, record->phase); !allowed)
              return finish(std::move(allowed));
            if (auto first = refuse_second_request(*record->live, alias); !first)
              return finish(std::move(first));
            ask_monitor(record, control_command::kDeviceRemove, {{"id", alias}},
                        [record, alias, finish](const Result<ControlReply>& reply) {
                          if (!reply && record->live) record->live->unplugging.erase(alias);
                          finish(reply ? Result<>() : tl::unexpected(reply.error()));
                        });
          });
}

void DomainService::set_link(const RecordPtr& record, const domain_xml::Interface& updated, Completion done) {
  run_job(record, "remoteDispatchDomainUpdateDeviceFlags", std::move(done),
          [this, record, updated](Completion finish) {
            if (auto allowed = check_operation(Operation::Query, record->phase); !allowed)
              return finish(std::move(allowed));
            const nlohmann::json arguments = {{"id", updated.alias.value_or("")},
                                              {"up", updated.link_state != "down"}};
            ask_monitor(record, control_command::kLinkSet, arguments,
                        [this, record, updated, finish](const Result<ControlReply>& reply) {
                          if (!reply) return finish(tl::unexpected(reply.error()));
                          changed_link(*record, updated);
                          finish({});
                        });
          });
}

void DomainService::changed_link(DomainRecord& record, const domain_xml::Interface& updated) {
  if (!record.live) return;
  for (auto& interface : record.live->definition.devices.interfaces)
    if (interface.alias == updated.alias) interface.link_state = updated.link_state;
  record.live->changed = true;
  save_status(record);
  change_monitor_config(record, [&](VmConfig& config) {
    for (auto& interface : config.devices.interfaces)
      if (interface.id == updated.alias) interface.link_up = updated.link_state != "down";
  });
}

// A guest may switch off any slot, asked or not.
void DomainService::device_removed(DomainRecord& record, const std::string& alias) {
  record.live->unplugging.erase(alias);
  const auto is_it = [&](const domain_xml::Disk& disk) { return disk.alias == alias; };
  if (std::erase_if(record.live->definition.devices.disks, is_it) == 0)
    return log::warning("domain '{}': its guest has switched off device '{}'", record.name, alias);
  record.live->changed = true;
  save_status(record);
  change_monitor_config(record, [&](VmConfig& config) {
    std::erase_if(config.devices.disks, [&](const DiskConfig& disk) { return disk.id == alias; });
  });
  emit_device(record, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, alias);
}

// A monitor that is started anew for a reboot reads it.
void DomainService::change_monitor_config(const DomainRecord& record,
                                          const std::function<void(VmConfig&)>& change) const {
  const auto changed = [&]() -> Result<> {
    auto config = TRY(vm_config_from_json(TRY(store_.load_monitor_config(record.name))));
    change(config);
    return store_.save_monitor_config(record.name, vm_config_to_json(config));
  }();
  if (!changed) log::warning("domain '{}': {}", record.name, changed.error().message());
}

void DomainService::emit_device(const DomainRecord& record, int event_id, const std::string& alias) const {
  emit({.event_id = event_id, .name = record.name, .uuid = record.uuid, .id = record.id, .text = alias});
}

}  // namespace virttdx::driver
