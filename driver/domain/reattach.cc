// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon finds when it starts: definitions, and monitors that went on without it.
#include <libvirt/libvirt.h>

#include "domain/domain_service.h"
#include "domain/messages.h"
#include "support/log.h"

namespace virttdx::driver {
namespace {

Phase phase_of(const domain_xml::DomainStatus& status) {
  if (status.state == VIR_DOMAIN_RUNNING) return Phase::Running;
  if (status.state == VIR_DOMAIN_PAUSED)
    return status.reason == VIR_DOMAIN_PAUSED_STARTING_UP ? Phase::Starting : Phase::Paused;
  if (status.state == VIR_DOMAIN_CRASHED) return Phase::Crashed;
  return Phase::Stopping;
}

}  // namespace

void DomainService::load() {
  store_.remove_leftovers();
  for (auto& stored : store_.load_definitions())
    if (!finish_rename(stored)) take_definition(stored);
  for (const auto& status : store_.load_statuses()) reattach(status);
  if (store_.take_autostart_turn()) start_marked();
}

// Null: its name or its uuid is another domain's.
RecordPtr DomainService::take_definition(DomainStore::StoredDefinition& stored) {
  if (const auto unique = registry_.check_identity(stored.domain.uuid, stored.domain.name); !unique) {
    log::error("definition of domain '{}': {}; left alone", stored.domain.name, unique.error().message());
    return nullptr;
  }
  const auto known = registry_.find_by_uuid(stored.domain.uuid);
  RecordPtr record = known ? *known : registry_.add(stored.domain.name, stored.domain.uuid);
  record->autostart = stored.autostart;
  record->autostart_once = stored.autostart_once;
  if (record->definition == stored.domain) return record;
  record->definition_messages = messages_of(findings_of(stored.domain));
  record->definition_changes.clear();
  record->definition = std::move(stored.domain);
  return record;
}

// As virStateReload() of libvirt's QEMU driver: new files are new domains, files that were changed are
// changed definitions; a domain whose file is gone stays.
void DomainService::reload() {
  finish_storing();
  for (auto& stored : store_.load_definitions()) {
    const bool is_new = !registry_.find_by_uuid(stored.domain.uuid);
    const RecordPtr record = take_definition(stored);
    if (record && is_new) emit(*record, VIR_DOMAIN_EVENT_DEFINED, VIR_DOMAIN_EVENT_DEFINED_ADDED);
  }
}

// A daemon that was killed while it renamed a domain left both files, equal but for the name. The newer one
// counts: it was complete before the old one was to go.
bool DomainService::finish_rename(const DomainStore::StoredDefinition& stored) {
  const auto other = registry_.find_by_uuid(stored.domain.uuid);
  if (!other || (*other)->name == stored.domain.name) return false;
  domain_xml::Domain same_name = stored.domain;
  same_name.name = (*other)->name;
  if (same_name != *(*other)->definition) return false;
  const bool newer = store_.is_newer(stored.domain.name, (*other)->name);
  const std::string kept = newer ? stored.domain.name : (*other)->name;
  const std::string dropped = newer ? (*other)->name : stored.domain.name;
  log::warning("domain '{}' was being renamed to '{}': finishing that", dropped, kept);
  const auto keep_mark = [&](bool first, bool second, auto set) {
    if (first || second)
      if (const auto linked = (store_.*set)(kept, true); !linked) log::error("{}", linked.error().message());
    return first || second;
  };
  const bool autostart = keep_mark(stored.autostart, (*other)->autostart, &DomainStore::set_autostart);
  const bool once =
      keep_mark(stored.autostart_once, (*other)->autostart_once, &DomainStore::set_autostart_once);
  if (const auto removed = store_.remove_definition(dropped); !removed)
    log::error("{}", removed.error().message());
  names_sync_.ask();
  if ((*other)->name != kept) registry_.rename(**other, kept);
  (*other)->autostart = autostart;
  (*other)->autostart_once = once;
  (*other)->definition->name = kept;
  return true;
}

void DomainService::reattach(const domain_xml::DomainStatus& status) {
  if (const auto unique = registry_.check_identity(status.domain.uuid, status.domain.name); !unique)
    return log::error("status of domain '{}': {}; left alone", status.domain.name, unique.error().message());
  const auto known = registry_.find_by_uuid(status.domain.uuid);
  const RecordPtr record = known ? *known : registry_.add(status.domain.name, status.domain.uuid);
  record->id = status.domain.id.value_or(-1);
  registry_.reserve_id(record->id);
  record->phase = phase_of(status);
  record->reason = status.reason;
  auto& live = record->live.emplace();
  live.definition = status.domain;
  live.messages = status.messages;
  const auto& cpu = live.definition.cpu;
  live.verify_cpu = record->phase == Phase::Starting && cpu && cpu->check == "full";
  live.resume_when_verified = live.verify_cpu && status.resume_when_verified;
  live.process = {status.pid, status.pid_start_time, status.monitor_socket};
  if (!is_alive(live.process)) {
    log::warning("domain '{}': its monitor, process {}, ended while no daemon ran", record->name, status.pid);
    return monitor_gone(record);
  }
  log::info("domain '{}': attaching again to monitor process {}", record->name, status.pid);
  connect_monitor(record);
  run_hook(record, {.operation = "reconnect"}, [this, record](const Result<>& agreed) {
    if (agreed || !record->active()) return;
    log::error("domain '{}' is ended: {}", record->name, agreed.error().message());
    destroy(record, [](const Result<>&) {});
  });
}

void DomainService::start_marked() {
  for (const auto& record : registry_.all()) {
    const bool once = record->autostart_once;
    if (once)
      if (const auto unmarked = set_autostart_once(record, false); !unmarked)
        log::error("autostart of domain '{}': {}", record->name, unmarked.error().message());
    if ((!record->autostart && !once) || record->active()) continue;
    start(record, {}, [name = record->name](const Result<>& started) {
      if (!started) log::error("autostart of domain '{}': {}", name, started.error().message());
    });
  }
}

void DomainService::save_status(const DomainRecord& record) const {
  domain_xml::DomainStatus status{
      .state = libvirt_state(record.phase),
      .reason = record.reason,
      .pid = record.live->process.pid,
      .pid_start_time = record.live->process.start_time,
      .monitor_socket = record.live->process.control_socket.native(),
      .messages = record.live->messages,
      .transient = !record.persistent(),
      .resume_when_verified = record.phase == Phase::Starting && record.live->resume_when_verified,
      .domain = record.live->definition};
  // The domain goes on all the same; only a restarted daemon would not find it.
  if (const auto saved = store_.save_status(status); !saved)
    log::error("status of domain '{}': {}", record.name, saved.error().message());
}

}  // namespace virttdx::driver
