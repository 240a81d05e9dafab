// SPDX-License-Identifier: GPL-2.0-or-later
// What a start needs before there is a monitor: the administrator's consent (hooks), what other daemons have
// of the domain (ports of networks, volumes, secrets), a plan.
#include <libvirt/libvirt.h>

#include <utility>

#include "domain/control_group.h"
#include "domain/domain_service.h"
#include "domain/run_resources.h"
#include "support/log.h"

namespace virttdx::driver {

void DomainService::prepare_start(const RecordPtr& record, const StartOptions& options) {
  record->live->preparing = true;
  run_hook(record, {.operation = "prepare"}, then(record, options, &DomainService::prepare_resources));
}

// The status names the ports before there are any: a daemon that is killed meanwhile leaves none behind.
void DomainService::prepare_resources(const RecordPtr& record, const StartOptions& options) {
  name_network_ports(record->live->definition);
  auto request = resources_asked(record->live->definition);
  if (!request.ports.empty()) save_status(*record);
  const auto proceed = then(record, options, &DomainService::prepare_monitor);
  resources_.acquire(std::move(request), [record, proceed](Result<Resources> resources) {
    if (!resources) {
      // Interrupted: whoever asked gives back what comes, and a stop that did would wait for the same daemon.
      if (record->phase == Phase::Stopping) forget_network_ports(record->live->definition);
      return proceed(tl::unexpected(resources.error()));
    }
    record->live->resources = take_resources(record->live->definition, *resources);
    record->live->secrets = std::move(resources->secrets);
    proceed({});
  });
}

// A domain that was destroyed meanwhile is waited for by whoever destroyed it.
Completion DomainService::then(const RecordPtr& record, const StartOptions& options, PreparationStep next) {
  return [this, record, options, next](const Result<>& done) {
    if (record->phase == Phase::Stopping) {
      record->live->preparing = false;
      record->live->waiting_monitor.reset();
      return finish_stop(record);
    }
    done ? (this->*next)(record, options) : fail_preparation(record, done.error());
  };
}

void DomainService::prepare_monitor(const RecordPtr& record, const StartOptions& options) {
  if (const auto prepared = prepare_launch(*record, options); !prepared)
    return fail_preparation(record, prepared.error());
  run_hook(record, {.operation = "start"}, then(record, options, &DomainService::launch_prepared));
}

// What it uses from its first moment on is to be counted, and limited, in its control group.
void DomainService::launch_prepared(const RecordPtr& record, const StartOptions& options) {
  if (const auto forked = fork_monitor(record); !forked) return fail_preparation(record, forked.error());
  if (!scopes_.available()) return launch_placed(record, options);
  scopes_.create(scope_of(*record), record->live->process.pid, scope_limits(record->live->definition.tuning),
                 then(record, options, &DomainService::launch_placed));
}

void DomainService::launch_placed(const RecordPtr& record, const StartOptions&) {
  record->live->preparing = false;
  const auto monitor = std::exchange(record->live->waiting_monitor, std::nullopt);
  if (const auto launched = monitor->go_on(); !launched) return fail_preparation(record, launched.error());
  connect_monitor(record);
}

void DomainService::fail_preparation(const RecordPtr& record, const Error& error) {
  record->live->preparing = false;
  record->live->waiting_monitor.reset();
  record->live->process.pid = 0;
  record->live->refusal = error;
  record->live->stop_reason = StopReason::LaunchFailed;
  enter_phase(*record, Phase::Stopping, VIR_DOMAIN_SHUTDOWN_USER);
  finish_stop(record);
}

}  // namespace virttdx::driver
