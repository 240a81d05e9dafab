// SPDX-License-Identifier: GPL-2.0-or-later
// What follows the end of a monitor: hooks are told, what the run had is given back.
#include <libvirt/libvirt.h>

#include <array>

#include "domain/domain_service.h"
#include "domain/run_resources.h"
#include "domain_xml/public_form.h"
#include "support/log.h"

namespace virttdx::driver {
namespace {

// libvirt's names of virDomainShutoffReason, which the hook "release" is told.
std::string_view reason_name(StopReason reason) {
  switch (reason) {
    case StopReason::Destroyed:
      return "destroyed";
    case StopReason::GuestShutdown:
    case StopReason::Reset:
      return "shutdown";
    case StopReason::LaunchFailed:
      return "failed";
    case StopReason::None:
    case StopReason::Crashed:
      return "crashed";
  }
  return "unknown";
}

void log_failure(const Result<>& result) {
  if (!result) log::warning("{}", result.error().message());
}

}  // namespace

void DomainService::run_hook(const RecordPtr& record, HookCall call, Completion done) {
  if (!hooks_.any()) return done({});
  call.object = record->name;
  call.input = domain_xml::format_without_secrets(record->live->definition);
  hooks_.run(std::move(call), std::move(done));
}

// A guest that was faster than its start was announced without the hook: what scripts do for a domain that
// has started, those of "stopped" undo.
void DomainService::release(const RecordPtr& record) {
  for (const auto& interface : record->live->definition.devices.interfaces) delete_macvtap(interface);
  const StopReason reason = record->live->stop_reason;
  const bool had_started = reason != StopReason::LaunchFailed && reason != StopReason::Destroyed;
  if (!had_started || !record->live->owes_started_hook) return release_stopped(record);
  run_hook(record, {.operation = "started"}, [this, record](const Result<>& started) {
    log_failure(started);
    release_stopped(record);
  });
}

// Nothing is undone because a script fails now.
void DomainService::release_stopped(const RecordPtr& record) {
  const std::string reason(reason_name(record->live->stop_reason));
  run_hook(record, {.operation = "stopped", .sub_operation = "end"},
           [this, record, reason](const Result<>& stopped) {
             log_failure(stopped);
             take_down_interfaces(record, [this, record, reason] { release_resources(record, reason); });
           });
}

void DomainService::release_resources(const RecordPtr& record, const std::string& reason) {
  resources_.release(network_ports(record->live->definition), [this, record, reason] {
    run_hook(record, {.operation = "release", .sub_operation = "end", .extra = reason},
             [this, record](const Result<>& released) {
               log_failure(released);
               forget_run(record);
             });
  });
}

}  // namespace virttdx::driver
