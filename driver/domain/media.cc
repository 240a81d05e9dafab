// SPDX-License-Identifier: GPL-2.0-or-later
// Media of a running domain's CD-ROM drives: trays that open and close, and what is laid into them.
#include <libvirt/libvirt.h>

#include <QTimer>
#include <algorithm>
#include <utility>

#include "domain/domain_service.h"
#include "domain/live_devices.h"
#include "domain/run_resources.h"
#include "vmm_backend/storage_daemon.h"

namespace virttdx::driver {
namespace {

// libvirt's: so long a guest is waited for that has locked its drive.
constexpr std::chrono::seconds kTrayPatience{5};

domain_xml::Disk* find_disk(DomainRecord& record, const std::string& alias) {
  auto& disks = record.live->definition.devices.disks;
  const auto found = std::ranges::find(disks, alias, &domain_xml::Disk::alias);
  return found == disks.end() ? nullptr : &*found;
}

// libvirt numbers the sources of what runs.
void number_source(const domain_xml::Domain& domain, domain_xml::Disk& disk) {
  if (!disk.source || disk.source->index) return;
  std::uint32_t last = 0;
  for (const auto& each : domain.devices.disks)
    if (each.source) last = std::max(last, each.source->index.value_or(0));
  disk.source->index = last + 1;
}

Error tray_stays_closed(const std::string& target) {
  return {Error::Code::Busy, fmt::format("timed out waiting to open tray of '{}'", target)};
}

}  // namespace

void DomainService::update_disk(const RecordPtr& record, const domain_xml::Disk& wanted, bool force,
                                Completion done) {
  run_job(record, "remoteDispatchDomainUpdateDeviceFlags", std::move(done),
          [this, record, wanted, force](const Completion& finish) {
            if (auto allowed = check_operation(Operation::Query, record->phase); !allowed)
              return finish(std::move(allowed));
            const auto updated = domain_xml::update_disk(record->live->definition, wanted);
            if (!updated) return finish(tl::unexpected(updated.error()));
            const auto& disk = updated->disk;
            if (!updated->has_other_medium) return took_disk(record, disk, finish);
            resources_.acquire(resources_asked(with_disk_alone(record->live->definition, disk)),
                               [this, record, disk, force, finish](const Result<Resources>& resources) {
                                 if (!resources) return finish(tl::unexpected(resources.error()));
                                 change_medium(record, disk, *resources, force, finish);
                               });
          });
}

// The new medium is open before the guest loses the old one.
void DomainService::change_medium(const RecordPtr& record, domain_xml::Disk disk, const Resources& resources,
                                  bool force, const Completion& done) {
  if (auto runs = check_operation(Operation::Query, record->phase); !runs) return done(std::move(runs));
  auto alone = with_disk_alone(record->live->definition, disk);
  const auto taken = take_resources(alone, resources);
  disk = alone.devices.disks.front();
  const auto config = domain_xml::plan_medium(alone, disk, host_.capabilities, taken);
  if (!config) return done(tl::unexpected(config.error()));
  const auto offered = [this, record, disk, force, done](const Result<>& open) {
    open ? lay_in(record, disk, force, done) : done(open);
  };
  if (needs_storage_daemon(*config))
    return opener_.add_disk({record->live->process.control_socket, store_.log_file(record->name)}, *config,
                            descriptors_of(resources.secrets), offered);
  offer_medium(record, *config, offered);
}

void DomainService::offer_medium(const RecordPtr& record, const DiskConfig& config, Completion done) {
  const nlohmann::json arguments = {{"disk", disk_config_to_json(config)}};
  ask_monitor(record, control_command::kMediumOffer, arguments,
              [done = std::move(done)](const Result<ControlReply>& reply) {
                done(reply ? Result<>() : tl::unexpected(reply.error()));
              });
}

void DomainService::lay_in(const RecordPtr& record, const domain_xml::Disk& disk, bool force,
                           const Completion& done) {
  open_tray(record, disk, force, [this, record, disk, done](const Result<>& opened) {
    if (!opened) return take_back(record, disk, opened, done);
    const nlohmann::json arguments = {{"id", disk.alias.value_or("")}};
    ask_monitor(record, control_command::kMediumChange, arguments,
                [this, record, disk, done](const Result<ControlReply>& reply) {
                  if (!reply) return take_back(record, disk, tl::unexpected(reply.error()), done);
                  took_disk(record, disk, done);
                });
  });
}

// What was offered is held open no longer.
void DomainService::take_back(const RecordPtr& record, const domain_xml::Disk& disk, const Result<>& failure,
                              const Completion& done) {
  DiskConfig nothing;
  nothing.id = disk.alias.value_or("");
  nothing.target = disk.target_dev;
  nothing.kind = DiskKind::Cdrom;
  offer_medium(record, nothing, [failure, done](const Result<>&) { done(failure); });
}

void DomainService::open_tray(const RecordPtr& record, const domain_xml::Disk& disk, bool force,
                              Completion done) {
  const nlohmann::json arguments = {{"id", disk.alias.value_or("")}, {"force", force}};
  ask_monitor(record, control_command::kTrayOpen, arguments,
              [record, disk, done = std::move(done)](const Result<ControlReply>& reply) {
                if (!reply) return done(tl::unexpected(reply.error()));
                if (reply->result && reply->result->value("open", false)) return done({});
                wait_for_tray(record, disk, done);
              });
}

void DomainService::wait_for_tray(const RecordPtr& record, const domain_xml::Disk& disk, Completion done) {
  if (!record->live) return done(fail(Error::Code::WrongState, "domain is not running"));
  const auto alias = disk.alias.value_or("");
  const auto waiting = std::make_shared<Completion>(std::move(done));
  record->live->waiting_for_trays[alias] = waiting;
  const std::weak_ptr<DomainRecord> weak = record;
  // Whoever has been answered waits no longer.
  QTimer::singleShot(kTrayPatience,
                     [weak, alias, target = disk.target_dev, late = std::weak_ptr<Completion>(waiting)] {
                       const auto domain = weak.lock();
                       const auto still_waiting = late.lock();
                       if (!domain || !still_waiting) return;
                       domain->live->waiting_for_trays.erase(alias);
                       (*still_waiting)(tl::unexpected(tray_stays_closed(target)));
                     });
}

void DomainService::took_disk(const RecordPtr& record, const domain_xml::Disk& disk, const Completion& done) {
  if (!record->live) return done(fail(Error::Code::WrongState, "domain is not running"));
  if (auto* const live = find_disk(*record, disk.alias.value_or(""))) {
    *live = disk;
    number_source(record->live->definition, *live);
  }
  record->live->changed = true;
  save_status(*record);
  done({});
}

void DomainService::tray_moved(DomainRecord& record, const MonitorEvent& event) {
  const auto alias = event.device.value_or("");
  const bool is_open = event.kind == MonitorEventKind::TrayOpened;
  describe_tray(record.live->definition, alias, is_open);
  save_status(record);
  emit({.event_id = VIR_DOMAIN_EVENT_ID_TRAY_CHANGE,
        .name = record.name,
        .uuid = record.uuid,
        .id = record.id,
        .event = is_open ? VIR_DOMAIN_EVENT_TRAY_CHANGE_OPEN : VIR_DOMAIN_EVENT_TRAY_CHANGE_CLOSE,
        .text = alias});
  if (!is_open) return;
  if (const auto waiting = record.live->waiting_for_trays.extract(alias)) (*waiting.mapped())({});
}

}  // namespace virttdx::driver
