// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/auto_destroy.h"

#include <QTimer>
#include <utility>

#include "support/log.h"

namespace virttdx::driver {
namespace {

bool is_over(const DomainRecord* record, int id) { return record == nullptr || record->id != id; }

}  // namespace

DomainService::RecordHandler AutoDestroy::bind(const std::shared_ptr<Client>& client,
                                               DomainService::RecordHandler done) {
  ++under_way_;
  return [this, client, done = std::move(done)](const Result<RecordPtr>& record) {
    if (record) started(client, *record);
    done(record);
    ended();
  };
}

void AutoDestroy::started(const std::shared_ptr<Client>& client, const RecordPtr& record) {
  std::erase_if(runs_, [](const Run& run) { return is_over(run.record.lock().get(), run.id); });
  const Run run{client.get(), record, record->id};
  client->closed() ? end_soon(run) : runs_.push_back(run);
}

void AutoDestroy::connection_closed(const Client& client) {
  for (const Run& run : runs_)
    if (run.client == &client) end_soon(run);
  std::erase_if(runs_, [&](const Run& run) { return run.client == &client; });
}

// A connection may close in the midst of what the service does with a domain: when it cannot take an event.
void AutoDestroy::end_soon(Run run) {
  ++under_way_;
  QTimer::singleShot(0, [this, run = std::move(run)] { end(run); });
}

void AutoDestroy::end(const Run& run) {
  const auto record = run.record.lock();
  if (is_over(record.get(), run.id)) return ended();
  log::info("domain '{}' is destroyed: the connection that started it is closed", record->name);
  service_.destroy(record, [this](const Result<>&) { ended(); });
}

void AutoDestroy::ended() {
  if (--under_way_ == 0 && idle_) idle_();
}

}  // namespace virttdx::driver
