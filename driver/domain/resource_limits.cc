// SPDX-License-Identifier: GPL-2.0-or-later
// Limits of what runs: of its control group, and of its threads.
#include "domain/control_group.h"
#include "domain/domain_service.h"
#include "support/log.h"

namespace virttdx::driver {

void DomainService::change_limits(const RecordPtr& record, const Impact& impact, const Change& change,
                                  Completion done) {
  if (!impact.live) return done(this->change(record, impact, change));
  domain_xml::Domain changed = record->live->definition;
  if (auto possible = change(changed); !possible) return done(std::move(possible));
  const std::string name = scope_name(record->id, record->name);
  scopes_.set_limits(name, scope_limits(changed.tuning),
                     [this, record, impact, change, done = std::move(done)](const Result<>& limited) {
                       if (!limited) return done(limited);
                       if (!record->live) return done(fail(Error::Code::WrongState, "domain is not running"));
                       auto stored = this->change(record, impact, change);
                       if (stored) limit_live_threads(*record);
                       done(std::move(stored));
                     });
}

// As with pins: the domain runs all the same.
void DomainService::limit_live_threads(const DomainRecord& record) const {
  if (!scopes_.available()) return;
  const auto limited =
      limit_threads(scopes_.directory(scope_of(record)), record.live->process, record.live->definition);
  if (!limited) log::warning("domain '{}': {}", record.name, limited.error().message());
}

}  // namespace virttdx::driver
