// SPDX-License-Identifier: GPL-2.0-or-later
// Changes of what is defined and of what runs, short of defining anew.
#include <libvirt/libvirt.h>

#include "domain/domain_service.h"
#include "domain/messages.h"

namespace virttdx::driver {

Result<> DomainService::change(const RecordPtr& record, const Impact& impact, const Change& change) {
  finish_storing({record->uuid, record->name});
  // It may have been undefined, or have ended, since the client asked.
  TRY(check_impact(*record, impact));
  std::optional<domain_xml::Domain> config;
  if (impact.config) {
    config = *record->definition;
    TRY(change(*config));
    // The live change must not be all that is left when the disk is full.
    TRY(store_.save_definition(*config));
    names_sync_.ask();
    record->definition_messages = messages_of(findings_of(*config));
    record->definition = std::move(config);
  }
  if (!impact.live) return {};
  TRY(change(record->live->definition));
  record->live->changed = true;
  save_status(*record);
  return {};
}

void DomainService::tell_monitor(const RecordPtr& record, const MonitorCommand& command, Completion done) {
  run_job(record, command.job, std::move(done), [this, record, command](Completion finish) {
    ask_monitor(record, command.name, command.arguments,
                [record, finish = std::move(finish)](const Result<ControlReply>& reply) {
                  if (!reply) return finish(tl::unexpected(reply.error()));
                  finish(record->live ? Result<>() : fail(Error::Code::WrongState, "domain is not running"));
                });
  });
}

void DomainService::change_with_monitor(const RecordPtr& record, const Impact& impact,
                                        const MonitorCommand& command, const Change& change,
                                        Completion done) {
  if (!impact.live) return done(this->change(record, impact, change));
  tell_monitor(record, command, [this, record, impact, change, done = std::move(done)](const Result<>& told) {
    done(told ? this->change(record, impact, change) : told);
  });
}

void DomainService::announce_metadata(const DomainRecord& record, int type,
                                      std::optional<std::string> uri) const {
  emit({.event_id = VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
        .name = record.name,
        .uuid = record.uuid,
        .id = record.id,
        .event = type,
        .text = std::move(uri)});
}

void DomainService::announce_tunables(const DomainRecord& record, std::vector<Tunable> tunables) const {
  if (tunables.empty()) return;
  emit({.event_id = VIR_DOMAIN_EVENT_ID_TUNABLE,
        .name = record.name,
        .uuid = record.uuid,
        .id = record.id,
        .tunables = std::move(tunables)});
}

// The new files are complete before the old ones go: a daemon killed in between finds both, and finishes.
Result<> DomainService::rename(const RecordPtr& record, const std::string& new_name) {
  finish_storing();
  TRY(check_domain_name(new_name));
  if (!record->persistent()) return fail(Error::Code::WrongState, "cannot rename a transient domain");
  if (record->active()) return fail(Error::Code::WrongState, "cannot rename active domain");
  if (new_name == record->name) return fail(Error::Code::WrongState, "Can't rename domain to itself");
  if (registry_.find_by_name(new_name))
    return fail(Error::Code::WrongState, "domain with name '{}' already exists", new_name);
  domain_xml::Domain domain = *record->definition;
  const std::string old_name = domain.name;
  domain.name = new_name;
  TRY(store_.save_definition(domain));
  if (record->autostart) TRY(store_.set_autostart(new_name, true));
  if (record->autostart_once) TRY(store_.set_autostart_once(new_name, true));
  TRY(store_.sync_names());
  TRY(store_.remove_definition(old_name));
  names_sync_.ask();
  emit(*record, VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_RENAMED);
  record->definition = std::move(domain);
  registry_.rename(*record, new_name);
  emit(*record, VIR_DOMAIN_EVENT_DEFINED, VIR_DOMAIN_EVENT_DEFINED_RENAMED);
  return {};
}

}  // namespace virttdx::driver
