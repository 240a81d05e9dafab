// SPDX-License-Identifier: GPL-2.0-or-later
// Definitions: what is stored, apart from what runs.
#include <libvirt/libvirt.h>

#include <algorithm>
#include <iterator>

#include "domain/domain_service.h"
#include "domain/messages.h"
#include "support/log.h"

namespace virttdx::driver {

// As many definitions as are worth a common flush of the disk.
constexpr int kStoringThreads = 16;
// Long enough for a client that defines one domain after the other; a file system's own commit comes after
// seconds.
constexpr std::chrono::milliseconds kNamesSyncDelay{100};

DomainService::DomainService(Directories directories, HostAccess host, SystemBus& bus,
                             std::chrono::seconds monitor_patience)
    : host_(std::move(host)),
      store_(directories),
      hooks_(directories.config.parent_path() / "hooks", "tdx"),
      opener_(host_.monitor_binary),
      resources_(directories.run, directories.per_user),
      storing_(kStoringThreads),
      names_sync_(storing_, kNamesSyncDelay, [this] { sync_names(); }),
      scopes_(bus, directories.run.parent_path(), directories.control_groups),
      monitor_patience_(monitor_patience) {}

Result<DomainService::ReadDefinition> DomainService::read_definition(std::string_view xml) const {
  auto domain = TRY(domain_xml::parse_domain(xml));
  TRY(check_domain_name(domain.name));
  // A running domain's description may be handed in again: its id is not part of a definition.
  domain.id.reset();
  if (domain.uuid.empty())
    if (const auto known = registry_.find_by_name(domain.name)) domain.uuid = (*known)->uuid;
  ReadDefinition definition;
  definition.domain =
      TRY(domain_xml::complete_definition(std::move(domain), definition_defaults(), &definition.changes));
  return definition;
}

domain_xml::DefinitionDefaults DomainService::definition_defaults() const {
  return {.emulator = host_.monitor_binary.native(),
          .require_launch_security = host_.require_launch_security};
}

domain_xml::PlanSources DomainService::plan_sources() const {
  return {.control_groups = scopes_.available()};
}

// Errors keep a domain from starting, not from being defined: the host may change. They are kept to be shown.
std::vector<domain_xml::Finding> DomainService::findings_of(const domain_xml::Domain& domain) const {
  auto plan = domain_xml::plan_launch(domain, host_.capabilities, plan_sources());
  if (plan) return std::move(plan->findings);
  domain_xml::Finding finding;
  finding.severity = domain_xml::Severity::Error;
  finding.message = plan.error().message();
  return {finding};
}

// Nobody sees the change before it is stored, and no later change of the same domain overtakes it.
void DomainService::store_apart(Identity identity, std::function<Result<>()> work, Completion done) {
  const auto stored = being_stored_.insert(being_stored_.end(), std::move(identity));
  auto result = std::make_shared<Result<>>();
  storing_.run([result, work = std::move(work)] { *result = work(); },
               [this, result, stored, done = std::move(done)] {
                 being_stored_.erase(stored);
                 names_sync_.ask();
                 done(std::move(*result));
               });
}

void DomainService::sync_names() const {
  if (const auto synced = store_.sync_names(); !synced) log::error("{}", synced.error().message());
}

void DomainService::finish_storing(const Identity& identity) {
  if (std::ranges::any_of(being_stored_, [&](const Identity& other) {
        return other.uuid == identity.uuid || other.name == identity.name;
      }))
    finish_storing();
}

void DomainService::finish_storing() {
  if (!being_stored_.empty()) storing_.wait_for_all();
}

void DomainService::define(std::string_view xml, RecordHandler done) {
  auto definition = read_definition(xml);
  if (!definition) return done(tl::unexpected(definition.error()));
  const auto& domain = definition->domain;
  finish_storing({domain.uuid, domain.name});
  if (const auto unique = registry_.check_identity(domain.uuid, domain.name); !unique)
    return done(tl::unexpected(unique.error()));
  const auto shared = std::make_shared<ReadDefinition>(*std::move(definition));
  store_apart(
      {shared->domain.uuid, shared->domain.name},
      [this, shared] { return store_.save_definition(shared->domain); },
      [this, shared, done = std::move(done)](const Result<>& saved) {
        saved ? done(took_definition(std::move(*shared))) : done(tl::unexpected(saved.error()));
      });
}

RecordPtr DomainService::took_definition(ReadDefinition definition) {
  auto& [domain, findings] = definition;
  const auto known = registry_.find_by_uuid(domain.uuid);
  const RecordPtr record = known ? *known : registry_.add(domain.name, domain.uuid);
  record->definition_changes = messages_of(findings);
  std::ranges::move(findings_of(domain), std::back_inserter(findings));
  log_findings(domain.name, findings);
  record->definition_messages = messages_of(findings);
  record->definition = std::move(domain);
  emit(*record, VIR_DOMAIN_EVENT_DEFINED,
       known ? VIR_DOMAIN_EVENT_DEFINED_UPDATED : VIR_DOMAIN_EVENT_DEFINED_ADDED);
  if (record->live) save_status(*record);
  return record;
}

void DomainService::undefine(const RecordPtr& record, Completion done) {
  finish_storing({record->uuid, record->name});
  if (!record->persistent()) return done(fail(Error::Code::WrongState, "cannot undefine transient domain"));
  store_apart(
      {record->uuid, record->name}, [this, name = record->name] { return store_.remove_definition(name); },
      [this, record, done = std::move(done)](const Result<>& removed) {
        if (removed) definition_removed(record);
        done(removed);
      });
}

void DomainService::definition_removed(const RecordPtr& record) {
  record->definition.reset();
  record->definition_messages.clear();
  record->definition_changes.clear();
  record->autostart = record->autostart_once = false;
  emit(*record, VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_REMOVED);
  if (record->live) save_status(*record);
  forget_if_unused(record);
}

Result<> DomainService::set_autostart(const RecordPtr& record, bool autostart) {
  finish_storing({record->uuid, record->name});
  if (!record->persistent())
    return fail(Error::Code::WrongState, "cannot set autostart for transient domain");
  TRY(store_.set_autostart(record->name, autostart));
  names_sync_.ask();
  record->autostart = autostart;
  return {};
}

Result<> DomainService::set_autostart_once(const RecordPtr& record, bool autostart) {
  finish_storing({record->uuid, record->name});
  if (!record->persistent())
    return fail(Error::Code::WrongState, "cannot set autostart for transient domain");
  TRY(store_.set_autostart_once(record->name, autostart));
  names_sync_.ask();
  record->autostart_once = autostart;
  return {};
}

void DomainService::create_transient(std::string_view xml, const StartOptions& options, RecordHandler done) {
  auto definition = read_definition(xml);
  if (definition) finish_storing({definition->domain.uuid, definition->domain.name});
  if (definition)
    if (const auto unique = registry_.check_identity(definition->domain.uuid, definition->domain.name);
        !unique)
      definition = tl::unexpected(unique.error());
  if (!definition) return done(tl::unexpected(definition.error()));
  const auto& domain = definition->domain;
  const auto known = registry_.find_by_uuid(domain.uuid);
  const RecordPtr record = known ? *known : registry_.add(domain.name, domain.uuid);
  if (record->active())
    return done(fail(Error::Code::WrongState, "domain '{}' is already active", record->name));
  run_job(
      record, "remoteDispatchDomainCreateXML",
      [record, done](const Result<>& started) {
        started ? done(record) : done(tl::unexpected(started.error()));
      },
      [this, record, options, definition = *std::move(definition)](Completion finish) {
        if (record->active())
          return finish(fail(Error::Code::WrongState, "domain '{}' is already active", record->name));
        // A stored definition stays as it is; this run has one of its own.
        record->live.emplace().definition = definition.domain;
        record->live->messages = messages_of(definition.changes);
        start_in_turn(record, options, std::move(finish));
      });
}

void DomainService::forget_if_unused(const RecordPtr& record) {
  if (!record->persistent() && !record->active()) registry_.remove(*record);
}

std::size_t DomainService::active_count() const {
  std::size_t count = 0;
  for (const auto& record : registry_.all()) count += record->active() ? 1 : 0;
  return count;
}

void DomainService::emit(const DomainRecord& record, int event, int detail) const {
  emit({.event_id = VIR_DOMAIN_EVENT_ID_LIFECYCLE,
        .name = record.name,
        .uuid = record.uuid,
        .id = record.id,
        .event = event,
        .detail = detail});
}

void DomainService::emit_reboot(const DomainRecord& record) const {
  emit({.event_id = VIR_DOMAIN_EVENT_ID_REBOOT, .name = record.name, .uuid = record.uuid, .id = record.id});
}

}  // namespace virttdx::driver
