// SPDX-License-Identifier: GPL-2.0-or-later
// What a monitor tells of a running domain's devices: disks in error, channels that the guest opens, its
// clock.
#include <libvirt/libvirt.h>

#include <algorithm>

#include "domain/domain_service.h"
#include "domain/live_devices.h"
#include "domain/messages.h"

namespace virttdx::driver {
namespace {

int libvirt_action(IoErrorAction action) {
  switch (action) {
    case IoErrorAction::Ignore:
      return VIR_DOMAIN_EVENT_IO_ERROR_NONE;
    case IoErrorAction::Stop:
      return VIR_DOMAIN_EVENT_IO_ERROR_PAUSE;
    case IoErrorAction::Report:
      break;
  }
  return VIR_DOMAIN_EVENT_IO_ERROR_REPORT;
}

std::string source_of(const domain_xml::Domain& domain, const std::string& alias) {
  const auto disk = std::ranges::find(domain.devices.disks, alias, &domain_xml::Disk::alias);
  if (disk == domain.devices.disks.end() || !disk->source) return {};
  return disk->source->file.value_or(disk->source->dev.value_or(disk->source->name.value_or("")));
}

}  // namespace

// As libvirt's drivers: both events, then the pause.
void DomainService::disk_failed(const RecordPtr& record, const MonitorEvent& event) {
  if (!event.io_error) return;
  const std::string alias = event.device.value_or("");
  add_message(*record, event.message);
  DomainEvent told{.event_id = VIR_DOMAIN_EVENT_ID_IO_ERROR,
                   .name = record->name,
                   .uuid = record->uuid,
                   .id = record->id,
                   .event = libvirt_action(event.io_error->action),
                   .text = alias,
                   .path = source_of(record->live->definition, alias),
                   .reason = event.io_error->no_space ? "enospc" : ""};
  emit(told);
  told.event_id = VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON;
  emit(told);
  if (event.io_error->action == IoErrorAction::Stop && record->phase == Phase::Running)
    set_paused(record, {VIR_DOMAIN_PAUSED_IOERROR, VIR_DOMAIN_EVENT_SUSPENDED_IOERROR});
}

// As libvirt's: what the guest's clock differs by is kept where the definition has a clock that differs.
void DomainService::rtc_changed(DomainRecord& record, const MonitorEvent& event) {
  if (!event.rtc_offset_seconds) return;
  keep_clock(record, *event.rtc_offset_seconds);
  emit({.event_id = VIR_DOMAIN_EVENT_ID_RTC_CHANGE,
        .name = record.name,
        .uuid = record.uuid,
        .id = record.id,
        .seconds = *event.rtc_offset_seconds});
}

void DomainService::keep_clock(DomainRecord& record, std::int64_t offset_seconds) {
  auto& clock = record.live->definition.clock;
  if (!clock || clock->offset != domain_xml::ClockOffset::Variable) return;
  const domain_xml::ClockAdjustment adjustment{.seconds = offset_seconds};
  if (clock->adjustment == adjustment) return;
  clock->adjustment = adjustment;
  save_status(record);
}

void DomainService::link_lost(DomainRecord& record, const MonitorEvent& event) {
  const auto alias = event.device.value_or("");
  add_message(record,
              fmt::format("interface '{}' is down: what it was connected to has gone; start the domain anew, "
                          "or attach another interface",
                          alias));
  record.live->status.lost_links.push_back(alias);
  describe_lost_links(record.live->definition, record.live->status);
  save_status(record);
}

void DomainService::port_changed(const RecordPtr& record, const MonitorEvent& event) {
  auto& ports = record->live->status.open_ports.emplace(
      record->live->status.open_ports.value_or(std::vector<std::string>()));
  const std::string alias = event.device.value_or("");
  const bool is_open = event.kind == MonitorEventKind::PortOpened;
  std::erase(ports, alias);
  if (is_open) ports.push_back(alias);
  describe_channels(record->live->definition, record->live->status);
  const auto& channels = record->live->definition.devices.channels;
  const auto channel = std::ranges::find(channels, alias, &domain_xml::CharacterDevice::alias);
  if (channel == channels.end() || record->phase == Phase::Starting) return;
  save_status(*record);
  const auto name = channel->target_name.value_or("");
  const bool is_agent = name == kAgentChannel;
  emit({.event_id = is_agent ? int{VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE} : kEventIdChannelLifecycle,
        .name = record->name,
        .uuid = record->uuid,
        .id = record->id,
        .event = is_open ? VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED
                         : VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED,
        .detail = VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL,
        .text = name});
}

}  // namespace virttdx::driver
