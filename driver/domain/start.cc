// SPDX-License-Identifier: GPL-2.0-or-later
// From a definition to a running TD: plan, monitor process, control socket, launch.
#include <libvirt/libvirt.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "domain/affinity.h"
#include "domain/domain_service.h"
#include "domain/live_devices.h"
#include "domain/log_tail.h"
#include "domain/messages.h"
#include "domain/run_resources.h"
#include "process/memory_policy.h"
#include "support/log.h"

namespace virttdx::driver {
namespace {

// A monitor that runs but does not open its control socket by then is stuck.
constexpr std::chrono::seconds kConnectPatience{30};
// One that ran before this daemon did has a TD: as long as it lives, it is waited for.
constexpr std::chrono::hours kReattachPatience{24 * 365};

// Of channels and of a vsock.
Result<> prepare_sockets(const DomainStore& store, const std::string& name, const DeviceConfigs& devices) {
  if (devices.console_ports.empty() && !devices.vsock) return {};
  return store.make_channel_directory(name);
}

}  // namespace

void DomainService::start(const RecordPtr& record, const StartOptions& options, Completion done) {
  run_job(record, "remoteDispatchDomainCreateWithFlags", std::move(done),
          [this, record, options](Completion finish) { start_in_turn(record, options, std::move(finish)); });
}

void DomainService::start_in_turn(const RecordPtr& record, const StartOptions& options, Completion done) {
  if (auto allowed = check_operation(Operation::Start, record->phase); !allowed)
    return done(std::move(allowed));
  // A transient run has brought its own.
  if (!record->live) {
    record->live.emplace().definition = *record->definition;
    record->live->messages = record->definition_changes;
  }
  // Of an earlier run; from here on the status tells of this one.
  store_.remove_runtime_files(record->name);
  record->live->process.control_socket = store_.monitor_socket(record->name);
  record->started = std::move(done);
  record->id = registry_.take_id();
  record->live->definition.id = record->id;
  domain_xml::prepare_run(record->live->definition, store_.channel_directory(record->name));
  enter_phase(*record, Phase::Starting, VIR_DOMAIN_PAUSED_STARTING_UP);
  prepare_start(record, options);
}

Result<> DomainService::fork_monitor(const RecordPtr& record) {
  const auto policy = TRY(MemoryPolicy::apply(record->live->definition.tuning.numa));
  auto& process = record->live->process;
  auto forked = driver::fork_monitor({.binary = host_.monitor_binary,
                                      .config_file = store_.monitor_config(record->name),
                                      .control_socket = store_.monitor_socket(record->name),
                                      .log_file = store_.log_file(record->name),
                                      .soft_profile = host_.soft_profile,
                                      .inherited = descriptors_of(record->live->secrets)},
                                     [this, &record, &process](const MonitorProcess& made) {
                                       process = made;
                                       save_status(*record);
                                     });
  record->live->secrets.clear();
  record->live->waiting_monitor = TRY(std::move(forked));
  return {};
}

Result<> DomainService::prepare_launch(DomainRecord& record, const StartOptions& options) {
  auto plan = TRY(domain_xml::plan_launch(record.live->definition, host_.capabilities, plan_sources(),
                                          &record.live->resources));
  log_findings(record.name, plan.findings);
  if (!plan.can_start()) return tl::unexpected(domain_xml::error_of(plan));
  domain_xml::remove_left_out_devices(record.live->definition);
  std::ranges::move(messages_of(plan.findings), std::back_inserter(record.live->messages));
  // The guest runs nothing before its CPU is known to be the one that was asked for.
  const auto& cpu = record.live->definition.cpu;
  record.live->verify_cpu = cpu && cpu->check == "full";
  record.live->resume_when_verified = record.live->verify_cpu && !options.paused;
  plan.config.start_paused = options.paused || record.live->verify_cpu;
  plan.config.td.quote_wait_ms = host_.quote_wait_ms;
  TRY(prepare_sockets(store_, record.name, plan.config.devices));
  return store_.save_monitor_config(record.name, vm_config_to_json(plan.config));
}

void DomainService::connect_monitor(const RecordPtr& record) {
  const std::weak_ptr<DomainRecord> weak = record;
  record->live->owes_started_hook = record->phase == Phase::Starting;
  const std::chrono::milliseconds patience =
      record->phase == Phase::Starting ? kConnectPatience : kReattachPatience;
  record->live->connector.reset(
      new MonitorConnector(record->live->process, patience, [this, weak](Result<ControlClient> client) {
        const auto connected = weak.lock();
        if (!connected || !connected->live) return;
        connected->live->connector.reset();
        client ? attach(connected, std::move(*client)) : monitor_gone(connected);
      }));
}

void DomainService::attach(const RecordPtr& record, ControlClient client) {
  const std::weak_ptr<DomainRecord> weak = record;
  record->live->monitor.reset(new MonitorLink(
      std::move(client), monitor_patience_,
      [this, weak](const MonitorEvent& event) {
        if (const auto domain = weak.lock()) handle_event(domain, event);
      },
      [this, weak] {
        if (const auto domain = weak.lock()) monitor_gone(domain);
      }));
  refresh_status(record, [weak](const Result<>& result) {
    if (!result) log::warning("status of a monitor: {}", result.error().message());
  });
}

void DomainService::refresh_status(const RecordPtr& record, Completion done) {
  if (!record->live || !record->live->monitor)
    return done(fail(Error::Code::WrongState, "domain is not running"));
  const std::weak_ptr<DomainRecord> weak = record;
  record->live->monitor->send(control_command::kStatus, nlohmann::json::object(),
                              [this, weak, done = std::move(done)](ControlReply reply) {
                                const auto domain = weak.lock();
                                if (!reply.result) return done(tl::unexpected(reply.result.error()));
                                auto status = monitor_status_from_json(*reply.result);
                                if (!status) return done(tl::unexpected(status.error()));
                                if (domain && domain->live) took_status(domain, *status);
                                done({});
                              });
}

void DomainService::took_status(const RecordPtr& record, const MonitorStatus& status) {
  record->live->status = status;
  describe_channels(record->live->definition, status);
  describe_trays(record->live->definition, status);
  describe_lost_links(record->live->definition, status);
  if (status.rtc_offset_seconds) keep_clock(*record, *status.rtc_offset_seconds);
  if (status.state == VmState::Starting || status.state == VmState::Stopped) return;
  if (record->phase == Phase::Starting) return finish_start_with_devices(record);
  if (!std::exchange(record->live->devices_asked, true)) {
    compare_devices(record);
    // The guest may have started anew while no daemon ran.
    place_threads(*record);
  }
  if (status.state == VmState::Crashed)
    set_crashed(record, status.message);
  else if (record->phase != Phase::Stopping)
    status.state == VmState::Paused ? set_paused(record, kPausedByUser) : set_running(record);
}

// A client that looks at a domain it has started finds the names of its host devices there.
void DomainService::finish_start_with_devices(const RecordPtr& record) {
  if (std::exchange(record->live->devices_asked, true)) return;
  if (record->live->definition.devices.interfaces.empty()) return finish_start_with_cpu(record);
  const std::weak_ptr<DomainRecord> weak = record;
  ask_device_statistics(record, [this, weak](const Result<DeviceStatistics>& statistics) {
    const auto domain = weak.lock();
    if (!domain || domain->phase != Phase::Starting || !domain->live->monitor->connected()) return;
    if (statistics)
      describe_live_interfaces(domain->live->definition, *statistics);
    else
      log::warning("interfaces of domain '{}': {}", domain->name, statistics.error().message());
    finish_start_with_network(domain);
  });
}

// No guest goes on without the limits that its definition says.
void DomainService::finish_start_with_network(const RecordPtr& record) {
  set_up_interfaces(record, [this, record, id = record->id](const Result<>& set_up) {
    if (record->phase != Phase::Starting || record->id != id || !record->live->monitor->connected()) return;
    set_up ? finish_start_with_cpu(record) : refuse_start(record, set_up.error());
  });
}

void DomainService::finish_start(const RecordPtr& record, bool paused) {
  describe_live_devices(record->live->definition, record->live->status);
  record->live->owes_started_hook = false;
  run_hook(record, {.operation = "started"}, [this, record, paused](const Result<>& agreed) {
    if (record->phase != Phase::Starting || !record->live->monitor->connected()) return;
    agreed ? announce_start(record, paused) : refuse_start(record, agreed.error());
  });
}

// libvirt's drivers announce RESUMED before STARTED, or STARTED and SUSPENDED for a domain that stays paused.
void DomainService::announce_start(const RecordPtr& record, bool paused) {
  if (paused) {
    enter_phase(*record, Phase::Paused, VIR_DOMAIN_PAUSED_USER);
    emit(*record, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED);
    emit(*record, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
  } else {
    enter_phase(*record, Phase::Running, VIR_DOMAIN_RUNNING_BOOTED);
    emit(*record, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
    emit(*record, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED);
  }
  place_threads(*record);
  save_status(*record);
  log::info("domain '{}' started with id {}, monitor process {}", record->name, record->id,
            record->live->process.pid);
  if (const auto started = std::exchange(record->started, nullptr)) started({});
  // The guest was faster than this start.
  if (record->live->status.state == VmState::Crashed) set_crashed(record, record->live->status.message);
}

// Each TD of a monitor has vCPU threads of its own. A domain that cannot have its pins runs all the same:
// CPUs may be offline for a while.
void DomainService::place_threads(const DomainRecord& record) const {
  const auto pinned = apply_affinity(record.live->process, record.live->definition);
  if (!pinned) log::warning("domain '{}': {}", record.name, pinned.error().message());
  limit_live_threads(record);
}

// The monitor's own last words are the best explanation there is.
void DomainService::launch_failed(const RecordPtr& record, const Error& error) {
  if (const auto& refusal = record->live->refusal) {
    auto reported = *refusal;
    if (record->live->process.pid != 0)
      reported = std::move(reported).with_context(fmt::format("start of domain '{}'", record->name));
    log::error("{}", reported.message());
    if (const auto started = std::exchange(record->started, nullptr)) started(tl::unexpected(reported));
    return;
  }
  const auto& message = record->live->stop_message;
  const std::string tail = message.empty() ? last_line(store_.log_file(record->name)) : message;
  const Error reported(Error::Code::Internal,
                       fmt::format("start of domain '{}': {}{}{} (log: '{}')", record->name, error.message(),
                                   tail.empty() ? "" : ": ", tail, store_.log_file(record->name).native()));
  log::error("{}", reported.message());
  if (const auto started = std::exchange(record->started, nullptr)) started(tl::unexpected(reported));
}

}  // namespace virttdx::driver
