// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/access_check.h"

#include "support/log.h"

namespace virttdx::driver {
namespace {

constexpr std::size_t kWaitingEventsMaximum = 4096;

bool applies(const AccessRule& rule, const AccessArguments& arguments) {
  switch (rule.when) {
    case AccessWhen::Always:
      return true;
    case AccessWhen::FlagsSet:
      return (arguments.flags & rule.mask) == rule.mask;
    case AccessWhen::FlagsClear:
      return (arguments.flags & rule.mask) == 0;
    case AccessWhen::SourceIs:
      return arguments.source == rule.mask;
  }
  return true;
}

void ask_one(Polkit& polkit, const Peer& subject, const AccessQuestion& question,
             std::function<void(bool)> done) {
  polkit.ask(subject, polkit_question(question),
             [done = std::move(done), pid = subject.pid](const Result<PolkitVerdict>& verdict) {
               if (!verdict) log::error("access of process {}: {}", pid, verdict.error().message());
               done(verdict && *verdict == PolkitVerdict::Allowed);
             });
}

}  // namespace

std::vector<AccessQuestion> questions_for(const ProcedureInfo& procedure, const AccessArguments& arguments) {
  std::vector<AccessQuestion> questions;
  for (const auto& rule : procedure.access) {
    if (rule.permission.empty() || !applies(rule, arguments)) continue;
    const bool of_domain = rule.object == AccessObject::Domain;
    if (of_domain && !arguments.domain) continue;
    questions.push_back(
        {std::string(rule.permission), of_domain ? arguments.domain : std::optional<AccessDomain>()});
  }
  return questions;
}

void ask_all(Polkit& polkit, const Peer& subject, const std::vector<AccessQuestion>& questions,
             std::function<void(bool)> done) {
  // Whoever lets go of it last tells. An answer that never comes allows nothing.
  const std::shared_ptr<std::size_t> consents(
      new std::size_t(0), [done = std::move(done), needed = questions.size()](const std::size_t* count) {
        const std::unique_ptr<const std::size_t> owned(count);
        done(*count == needed);
      });
  for (const auto& question : questions)
    ask_one(polkit, subject, question, [consents](bool allowed) { *consents += allowed ? 1 : 0; });
}

void ask_visible(Polkit& polkit, const Peer& subject, std::string_view permission,
                 const std::vector<RecordPtr>& records, std::function<void(VisibleDomains)> done) {
  const std::shared_ptr<VisibleDomains> visible(new VisibleDomains,
                                                [done = std::move(done)](VisibleDomains* complete) {
                                                  const std::unique_ptr<VisibleDomains> owned(complete);
                                                  done(std::move(*complete));
                                                });
  for (const auto& record : records)
    ask_one(polkit, subject, {std::string(permission), AccessDomain{record->name, record->uuid}},
            [visible, uuid = record->uuid](bool allowed) {
              if (allowed) visible->insert(uuid);
            });
}

bool EventGate::add(Polkit& polkit, const Peer& subject, const DomainEvent& event) {
  if (entries_.size() >= kWaitingEventsMaximum) return false;
  const auto entry = entries_.emplace_back(new Entry{event, std::nullopt});
  ask_one(polkit, subject, {"getattr", AccessDomain{event.name, event.uuid}},
          [entry, self = std::weak_ptr(self_)](bool allowed) {
            entry->allowed = allowed;
            if (const auto gate = self.lock()) (*gate)->send_decided();
          });
  return true;
}

void EventGate::send_decided() {
  while (!entries_.empty() && entries_.front()->allowed) {
    const auto entry = std::move(entries_.front());
    entries_.pop_front();
    if (*entry->allowed) sender_(entry->event);
  }
}

}  // namespace virttdx::driver
