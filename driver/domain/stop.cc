// SPDX-License-Identifier: GPL-2.0-or-later
// What happens to a domain that runs: commands to its monitor, the monitor's events, and its end.
#include <libvirt/libvirt.h>
#include <signal.h>

#include <QTimer>
#include <array>
#include <utility>

#include "domain/domain_service.h"
#include "domain/log_tail.h"
#include "domain/messages.h"
#include "support/log.h"

namespace virttdx::driver {
namespace {

// Arguments of a command that has none.
const nlohmann::json kNone = nlohmann::json::object();

// A monitor that was told to stop, or said that it does, and still runs after this is killed.
constexpr std::chrono::seconds kStopPatience{10};

struct StopRow {
  StopReason reason;
  int shutoff_reason;   ///< virDomainShutoffReason
  int shutdown_detail;  ///< of the event SHUTDOWN before; -1: none
  int stopped_detail;   ///< of the event STOPPED
};

constexpr std::array kStopTable = {
    // The connection ended without a word.
    StopRow{StopReason::None, VIR_DOMAIN_SHUTOFF_CRASHED, -1, VIR_DOMAIN_EVENT_STOPPED_CRASHED},
    StopRow{StopReason::Destroyed, VIR_DOMAIN_SHUTOFF_DESTROYED, VIR_DOMAIN_EVENT_SHUTDOWN_HOST,
            VIR_DOMAIN_EVENT_STOPPED_DESTROYED},
    StopRow{StopReason::GuestShutdown, VIR_DOMAIN_SHUTOFF_SHUTDOWN, VIR_DOMAIN_EVENT_SHUTDOWN_GUEST,
            VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN},
    StopRow{StopReason::Reset, VIR_DOMAIN_SHUTOFF_SHUTDOWN, VIR_DOMAIN_EVENT_SHUTDOWN_GUEST,
            VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN},
    StopRow{StopReason::Crashed, VIR_DOMAIN_SHUTOFF_CRASHED, -1, VIR_DOMAIN_EVENT_STOPPED_CRASHED},
    StopRow{StopReason::LaunchFailed, VIR_DOMAIN_SHUTOFF_FAILED, -1, VIR_DOMAIN_EVENT_STOPPED_FAILED},
};

const StopRow& row_of(StopReason reason) {
  const StopRow& row = kStopTable.at(static_cast<std::size_t>(reason));
  CHECK(row.reason == reason);
  return row;
}

// Clients hear of the end of what they may have heard of; a start that never got a monitor is none.
bool has_run(const DomainRecord& record) { return record.live->process.pid != 0; }

void kill_after_patience(const RecordPtr& record) {
  const MonitorProcess process = record->live->process;
  QTimer::singleShot(kStopPatience, [process, name = record->name] {
    if (!is_alive(process)) return;
    log::warning("domain '{}': monitor process {} does not end; killing it", name, process.pid);
    signal_process(process, SIGKILL);
  });
}

bool is_of_guest(StopReason reason) {
  return reason == StopReason::GuestShutdown || reason == StopReason::Reset || reason == StopReason::Crashed;
}

}  // namespace

void DomainService::ask_monitor(const RecordPtr& record, std::string_view command,
                                const nlohmann::json& arguments, ReplyHandler handler) {
  if (const auto allowed = check_operation(Operation::Query, record->phase); !allowed)
    return handler(tl::unexpected(allowed.error()));
  if (!record->live->monitor)
    return handler(fail(Error::Code::WrongState, "the domain's monitor does not answer yet"));
  record->live->monitor->send(command, arguments, [handler = std::move(handler)](ControlReply reply) {
    reply.result ? handler(std::move(reply)) : handler(tl::unexpected(reply.result.error()));
  });
}

void DomainService::ask_device_statistics(const RecordPtr& record, DeviceStatisticsHandler handler) {
  record->live->monitor->send(control_command::kDeviceStatistics, nlohmann::json::object(),
                              [handler = std::move(handler)](const ControlReply& reply) {
                                if (!reply.result) return handler(tl::unexpected(reply.result.error()));
                                handler(device_statistics_from_json(*reply.result));
                              });
}

void DomainService::device_statistics(const RecordPtr& record, DeviceStatisticsHandler handler) {
  if (const auto allowed = check_operation(Operation::Query, record->phase); !allowed)
    return handler(tl::unexpected(allowed.error()));
  const auto& devices = record->live->definition.devices;
  if (devices.disks.empty() && devices.interfaces.empty()) return handler(DeviceStatistics());
  if (!record->live->monitor)
    return handler(fail(Error::Code::WrongState, "the domain's monitor does not answer yet"));
  ask_device_statistics(record, std::move(handler));
}

void DomainService::run_job(const RecordPtr& record, std::string_view name, Completion done,
                            std::function<void(Completion)> work) {
  record->jobs.run(
      name, monitor_patience_,
      [this, record, done = std::move(done), work = std::move(work)](const Result<JobQueue::Turn>& turn) {
        if (!turn) return done(tl::unexpected(turn.error()));
        // While this waited, it was undefined, or its only run ended.
        if (const auto known = registry_.find(record->uuid, record->name); !known || *known != record)
          return done(fail(Error::Code::NotFound, "no domain with matching uuid '{}' ({})", record->uuid,
                           record->name));
        // The job lasts as long as somebody may still call this: a monitor that is late holds
        // it.
        work([done, held = *turn](const Result<>& result) { done(result); });
      });
}

void DomainService::command(const RecordPtr& record, Operation operation, const MonitorCommand& command,
                            Completion done, std::function<void()> succeeded) {
  run_job(record, command.job, std::move(done),
          [this, record, operation, command, succeeded = std::move(succeeded)](Completion finish) {
            if (auto allowed = check_operation(operation, record->phase); !allowed)
              return finish(std::move(allowed));
            ask_monitor(record, command.name, command.arguments,
                        [finish = std::move(finish), succeeded](const Result<ControlReply>& reply) {
                          if (!reply) return finish(tl::unexpected(reply.error()));
                          if (succeeded) succeeded();
                          finish({});
                        });
          });
}

void DomainService::shutdown(const RecordPtr& record, Completion done) {
  command(record, Operation::Shutdown, {control_command::kPowerdown, kNone, "remoteDispatchDomainShutdown"},
          std::move(done));
}

// The same button: what makes the guest's power-off a reboot is in the monitor, which outlives this daemon.
void DomainService::reboot(const RecordPtr& record, Completion done) {
  command(record, Operation::Reboot,
          {control_command::kPowerdown, {{"reboot", true}}, "remoteDispatchDomainReboot"}, std::move(done));
}

void DomainService::forget_reboot(const RecordPtr& record) {
  ask_monitor(record, control_command::kSetActions, kNone, [](const Result<ControlReply>&) {});
}

void DomainService::reset(const RecordPtr& record, Completion done) {
  command(record, Operation::Reset, {control_command::kReset, kNone, "remoteDispatchDomainReset"},
          std::move(done));
}

void DomainService::suspend(const RecordPtr& record, Completion done) {
  if (record->phase == Phase::Paused && !record->jobs.holder()) return done({});
  command(record, Operation::Suspend, {control_command::kPause, kNone, "remoteDispatchDomainSuspend"},
          std::move(done), [this, record] { set_paused(record, kPausedByUser); });
}

void DomainService::resume(const RecordPtr& record, Completion done) {
  command(record, Operation::Resume, {control_command::kResume, kNone, "remoteDispatchDomainResume"},
          std::move(done), [this, record] { set_running(record); });
}

const DomainService::Pause DomainService::kPausedByUser{VIR_DOMAIN_PAUSED_USER,
                                                        VIR_DOMAIN_EVENT_SUSPENDED_PAUSED};

// Both are called by whatever tells it first, the reply or the event.
void DomainService::set_paused(const RecordPtr& record, const Pause& pause) {
  if (record->phase == Phase::Paused || !may_follow(record->phase, Phase::Paused)) return;
  enter_phase(*record, Phase::Paused, pause.reason);
  emit(*record, VIR_DOMAIN_EVENT_SUSPENDED, pause.detail);
  save_status(*record);
}

void DomainService::set_running(const RecordPtr& record) {
  if (record->phase == Phase::Running || !may_follow(record->phase, Phase::Running)) return;
  const bool restarted = std::exchange(record->live->panicked, false);
  enter_phase(*record, Phase::Running, restarted ? VIR_DOMAIN_RUNNING_CRASHED : VIR_DOMAIN_RUNNING_UNPAUSED);
  emit(*record, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
  save_status(*record);
}

void DomainService::destroy(const RecordPtr& record, Completion done) {
  if (auto allowed = check_operation(Operation::Destroy, record->phase); !allowed)
    return done(std::move(allowed));
  record->stopped.push_back(std::move(done));
  if (record->phase == Phase::Stopping) return;
  if (record->live->preparing)
    hooks_.interrupt(record->name);
  else if (record->live->monitor)
    record->live->monitor->send_stop();
  else
    signal_process(record->live->process, SIGKILL);
  begin_stop(record, StopReason::Destroyed, "");
  resources_.interrupt(record->uuid);
}

void DomainService::begin_stop(const RecordPtr& record, StopReason reason, std::string message) {
  // The first reason is the cause; what follows is its consequence.
  if (record->phase == Phase::Stopping) return;
  const bool launching = record->phase == Phase::Starting;
  record->live->stop_reason =
      launching && reason != StopReason::Destroyed ? StopReason::LaunchFailed : reason;
  record->live->stop_message = std::move(message);
  enter_phase(*record, Phase::Stopping, VIR_DOMAIN_SHUTDOWN_USER);
  kill_after_patience(record);
}

void DomainService::handle_event(const RecordPtr& record, const MonitorEvent& event) {
  switch (event.kind) {
    case MonitorEventKind::Launched:
      return refresh_status(record, [](const Result<>&) {});
    case MonitorEventKind::Paused:
    case MonitorEventKind::Resumed:
      // A start in progress ends in finish_start().
      if (record->phase == Phase::Starting) return;
      return event.kind == MonitorEventKind::Paused ? set_paused(record, kPausedByUser) : set_running(record);
    case MonitorEventKind::Reset:
      return emit_reboot(*record);
    case MonitorEventKind::Recreated:
      return started_anew(record);
    case MonitorEventKind::Panicked:
      record->live->panicked = true;
      add_error(*record, fmt::format("guest panicked: {}", event.message));
      emit(*record, VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_PANICKED);
      return save_status(*record);
    case MonitorEventKind::DeviceRemoved:
      return device_removed(*record, event.message);
    case MonitorEventKind::PortOpened:
    case MonitorEventKind::PortClosed:
      return port_changed(record, event);
    case MonitorEventKind::TrayOpened:
    case MonitorEventKind::TrayClosed:
      return tray_moved(*record, event);
    case MonitorEventKind::LinkLost:
      return link_lost(*record, event);
    case MonitorEventKind::IoError:
      return disk_failed(record, event);
    case MonitorEventKind::RtcChanged:
      return rtc_changed(*record, event);
    case MonitorEventKind::Preserved:
      record->live->status.state = VmState::Crashed;
      record->live->status.message = event.message;
      return set_crashed(record, event.message);
    case MonitorEventKind::Stopped:
      // A guest that was faster than its start has run all the same.
      if (record->phase == Phase::Starting && is_of_guest(event.stop_reason)) announce_start(record, false);
      return begin_stop(record, event.stop_reason, event.message);
  }
}

// Of on_crash='preserve': the domain keeps its id and monitor until it is destroyed or reset.
void DomainService::set_crashed(const RecordPtr& record, const std::string& message) {
  if (!may_follow(record->phase, Phase::Crashed)) return;
  enter_phase(*record, Phase::Crashed, VIR_DOMAIN_CRASHED_PANICKED);
  if (!std::exchange(record->live->panicked, true)) {
    add_error(*record, fmt::format("guest crashed: {}", message));
    emit(*record, VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_PANICKED);
  }
  save_status(*record);
}

void DomainService::started_anew(const RecordPtr& record) {
  place_threads(*record);
  // Reset by a client: as with libvirt's drivers it waits for a resume.
  if (record->phase == Phase::Crashed) {
    record->live->status.state = VmState::Paused;
    record->live->panicked = false;
    enter_phase(*record, Phase::Paused, VIR_DOMAIN_PAUSED_CRASHED);
  }
  emit(*record, VIR_DOMAIN_EVENT_STOPPED, kEventStoppedRecreated);
  emit(*record, VIR_DOMAIN_EVENT_STARTED, kEventStartedRecreated);
  // As libvirt's after on_crash='restart'; of one that is not running again yet, set_running() says it.
  if (record->phase != Phase::Running || !std::exchange(record->live->panicked, false)) return;
  record->reason = VIR_DOMAIN_RUNNING_CRASHED;
  save_status(*record);
}

// The end of the control connection is the end of the monitor: it closes it last. Without a word before, the
// log is all there is.
void DomainService::monitor_gone(const RecordPtr& record) {
  if (!record->live) return;
  if (record->phase == Phase::Starting) {
    begin_stop(record, StopReason::LaunchFailed, "");
  } else if (record->phase != Phase::Stopping) {
    const auto log = store_.log_file(record->name);
    begin_stop(record, StopReason::None,
               fmt::format("the monitor ended unexpectedly; log '{}': {}", log.native(), last_line(log)));
  }
  finish_stop(record);
}

void DomainService::finish_stop(const RecordPtr& record) {
  // Whatever the monitor left running must not outlive its record.
  signal_process(record->live->process, SIGKILL);
  if (record->live->ending) return;
  record->live->ending = true;
  const StopRow row = row_of(record->live->stop_reason);
  if (row.shutdown_detail >= 0 && has_run(*record))
    emit(*record, VIR_DOMAIN_EVENT_SHUTDOWN, row.shutdown_detail);
  release(record);
}

void DomainService::forget_run(const RecordPtr& record) {
  const StopRow row = row_of(record->live->stop_reason);
  const bool ran = has_run(*record);
  if (record->started) launch_failed(record, {Error::Code::Internal, "the monitor ended before the TD ran"});
  log::info("domain '{}' stopped{}{}", record->name, record->live->stop_message.empty() ? "" : ": ",
            record->live->stop_message);
  store_.remove_runtime_files(record->name);
  if (record->live->agent_call) record->live->agent_call->guest_ended();
  const auto unplugging = std::move(record->live->unplugging);
  const auto waiting_for_trays = std::move(record->live->waiting_for_trays);
  record->live.reset();
  record->id = -1;
  enter_phase(*record, Phase::Inactive, row.shutoff_reason);
  if (ran) emit(*record, VIR_DOMAIN_EVENT_STOPPED, row.stopped_detail);
  forget_if_unused(record);
  const auto stopped_meanwhile = fail(Error::Code::WrongState, "domain is not running");
  for (const auto& [alias, device] : unplugging)
    if (device.waiting) device.waiting(stopped_meanwhile);
  for (const auto& [alias, waiting] : waiting_for_trays) (*waiting)(stopped_meanwhile);
  for (const auto& stopped : std::exchange(record->stopped, {})) stopped({});
}

}  // namespace virttdx::driver
