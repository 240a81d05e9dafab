// SPDX-License-Identifier: GPL-2.0-or-later
// libvirt's domain API over the registry, the files and the monitors. Used on the event loop's thread only;
// what takes time ends in a Completion. Files are on disk when a call returns or is completed, as libvirt's
// drivers have it; which definitions there are follows within a tenth of a second (DomainStore). Definitions
// are written on threads of their own, so that clients that define at the same time share what a disk's flush
// costs.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "domain/domain_event.h"
#include "domain/domain_record.h"
#include "domain/domain_registry.h"
#include "domain/domain_store.h"
#include "domain/impact.h"
#include "domain_xml/interface_traffic.h"
#include "domain_xml/plug_device.h"
#include "domain_xml/update_disk.h"
#include "host/host_access.h"
#include "host/host_resources.h"
#include "process/command_runner.h"
#include "process/delayed_work.h"
#include "process/device_opener.h"
#include "process/hook_runner.h"
#include "process/machine_scopes.h"
#include "process/worker_threads.h"
#include "vmm_backend/device_statistics.h"

namespace virttdx::driver {

struct StartOptions {
  bool paused = false;
};

class DomainService {
 public:
  using EventHandler = std::function<void(const DomainEvent&)>;
  using ReplyHandler = std::function<void(Result<ControlReply>)>;

  /// A monitor that does not answer a command for `monitor_patience` fails it.
  DomainService(Directories directories, HostAccess host, SystemBus& bus,
                std::chrono::seconds monitor_patience);

  const HostAccess& host() const { return host_; }
  const DomainRegistry& domains() const { return registry_; }
  HostResources& host_resources() { return resources_; }
  void on_event(EventHandler handler) { event_handler_ = std::move(handler); }

  /// Reads definitions, takes over the monitors that run, starts what is marked for autostart (once a boot).
  void load();
  /// Reads definitions again that somebody has put there or changed by hand (SIGHUP).
  void reload();

  // Definitions (definitions.cc, changes.cc).
  using RecordHandler = std::function<void(Result<RecordPtr>)>;
  void define(std::string_view xml, RecordHandler done);
  void undefine(const RecordPtr& record, Completion done);
  Result<> set_autostart(const RecordPtr& record, bool autostart);
  /// At the next boot of the host, and not at those after it.
  Result<> set_autostart_once(const RecordPtr& record, bool autostart);
  Result<> rename(const RecordPtr& record, const std::string& new_name);
  /// What a definition is completed with.
  domain_xml::DefinitionDefaults definition_defaults() const;
  /// Makes a change to the stored definition, the live one, or both; what the monitor has to do about it has
  /// been done. The change must give the same for both.
  using Change = std::function<Result<>(domain_xml::Domain&)>;
  Result<> change(const RecordPtr& record, const Impact& impact, const Change& change);
  /// As change(), of what a running domain's monitor has to be told first: `command` with `arguments`.
  struct MonitorCommand {
    std::string_view name;  ///< control_command
    nlohmann::json arguments;
    std::string_view job;  ///< as libvirt names it to those who wait for it
  };
  /// As a job of a running domain.
  void tell_monitor(const RecordPtr& record, const MonitorCommand& command, Completion done);
  void change_with_monitor(const RecordPtr& record, const Impact& impact, const MonitorCommand& command,
                           const Change& change, Completion done);
  /// Whether what limits CPU time, memory and block I/O has an effect.
  bool limits_resources() const { return scopes_.available(); }
  /// As change(), of limits; of a running domain it takes effect at once
  /// (resource_limits.cc).
  void change_limits(const RecordPtr& record, const Impact& impact, const Change& change, Completion done);
  /// `type` is a virDomainMetadataType; `uri` of an element.
  void announce_metadata(const DomainRecord& record, int type, std::optional<std::string> uri) const;
  /// To be called when they are in effect. Nothing is told of none.
  void announce_tunables(const DomainRecord& record, std::vector<Tunable> tunables) const;
  /// Starts a domain that vanishes when it stops; `done` gets its record once the TD runs.
  void create_transient(std::string_view xml, const StartOptions& options, RecordHandler done);

  // Devices of a running domain (hotplug.cc).
  /// Done when the guest has been told.
  void attach_device(const RecordPtr& record, const domain_xml::DeviceElement& device, Completion done);
  /// Changes the link and the limits of an interface to what domain_xml::update_interface() made of it.
  void update_interface(const RecordPtr& record, const domain_xml::Interface& updated, Completion done);
  /// Limits the rates of the interface with this MAC address (interfaces.cc): a direction that is given
  /// replaces what there was, with an average and a floor of 0 by nothing. Errors: as libvirt's, and what
  /// tc(8) says.
  void set_bandwidth(const RecordPtr& record, const Impact& impact, const std::string& mac,
                     const domain_xml::Bandwidth& wanted, Completion done);
  /// Another medium for a CD-ROM drive (media.cc). A guest that has locked its tray is asked, unless it is to
  /// be forced. Errors besides those of domain_xml::update_disk() and of a plan: Busy (it does not open the
  /// tray).
  void update_disk(const RecordPtr& record, const domain_xml::Disk& wanted, bool force, Completion done);
  /// Done when the device is out, or the guest has had a while to let it go: its consent is the event
  /// DEVICE_REMOVED, and may never come.
  void detach_device(const RecordPtr& record, const std::string& alias, Completion done);

  // Life (start.cc, stop.cc).
  void start(const RecordPtr& record, const StartOptions& options, Completion done);
  void destroy(const RecordPtr& record, Completion done);
  /// Asks the guest to power off; done when the request reached it.
  void shutdown(const RecordPtr& record, Completion done);
  /// As shutdown, and the guest's power-off counts as its reset: a new TD in the same monitor.
  void reboot(const RecordPtr& record, Completion done);
  /// A power-off is one again: before the guest's agent is asked for either.
  void forget_reboot(const RecordPtr& record);
  void reset(const RecordPtr& record, Completion done);
  void suspend(const RecordPtr& record, Completion done);
  void resume(const RecordPtr& record, Completion done);

  /// Sends a command to the monitor of a running domain; refused in libvirt's words when it does not run.
  void ask_monitor(const RecordPtr& record, std::string_view command, const nlohmann::json& arguments,
                   ReplyHandler handler);
  /// Of a running domain's disks and interfaces. A domain without any is not asked.
  using DeviceStatisticsHandler = std::function<void(Result<DeviceStatistics>)>;
  void device_statistics(const RecordPtr& record, DeviceStatisticsHandler handler);
  /// Sends a command to the guest agent of a running domain. Errors besides those of GuestAgentCall:
  /// ConfigUnsupported (it has no channel for one), WrongState, TimedOut (another command does not end).
  void ask_agent(const RecordPtr& record, GuestAgentCall::Command command, GuestAgentCall::Handler handler);
  /// What the newest monitor's status said, fetched anew.
  void refresh_status(const RecordPtr& record, Completion done);

  /// A child of the daemon has ended (waitpid(2)): a hook script, a program, or a monitor.
  void child_ended(pid_t child, int status) {
    hooks_.child_ended(child, status);
    opener_.child_ended(child, status);
    commands_.child_ended(child, status);
  }

  /// Domains that are active.
  std::size_t active_count() const;

 private:
  struct ReadDefinition {
    domain_xml::Domain domain;
    std::vector<domain_xml::Finding> changes;  ///< what completing it changed
  };
  Result<ReadDefinition> read_definition(std::string_view xml) const;
  std::vector<domain_xml::Finding> findings_of(const domain_xml::Domain& domain) const;
  domain_xml::PlanSources plan_sources() const;
  void forget_if_unused(const RecordPtr& record);
  RecordPtr took_definition(ReadDefinition definition);
  void definition_removed(const RecordPtr& record);
  struct Identity {
    std::string uuid, name;
  };
  void store_apart(Identity identity, std::function<Result<>()> work, Completion done);
  void sync_names() const;
  void finish_storing(const Identity& identity);
  void finish_storing();

  // Before there is a monitor, and after there was one (preparation.cc, release.cc).
  using PreparationStep = void (DomainService::*)(const RecordPtr&, const StartOptions&);
  void prepare_start(const RecordPtr& record, const StartOptions& options);
  Completion then(const RecordPtr& record, const StartOptions& options, PreparationStep next);
  void prepare_resources(const RecordPtr& record, const StartOptions& options);
  void prepare_monitor(const RecordPtr& record, const StartOptions& options);
  void launch_prepared(const RecordPtr& record, const StartOptions& options);
  void launch_placed(const RecordPtr& record, const StartOptions& options);
  void fail_preparation(const RecordPtr& record, const Error& error);
  void run_hook(const RecordPtr& record, HookCall call, Completion done);
  void set_up_interfaces(const RecordPtr& record, Completion done);
  void set_up_plugged(const RecordPtr& record, const std::string& alias, Completion done);
  void take_down_interfaces(const RecordPtr& record, std::function<void()> done);
  void forget_interface(const domain_xml::Interface& interface);
  static Result<std::vector<HostCommand>> bandwidth_commands(const DomainRecord& record, const Impact& impact,
                                                             const std::string& mac,
                                                             const domain_xml::Bandwidth& wanted);
  void release(const RecordPtr& record);
  void release_stopped(const RecordPtr& record);
  void release_resources(const RecordPtr& record, const std::string& reason);
  void forget_run(const RecordPtr& record);

  Result<> fork_monitor(const RecordPtr& record);
  Result<> prepare_launch(DomainRecord& record, const StartOptions& options);
  void connect_monitor(const RecordPtr& record);
  void attach(const RecordPtr& record, ControlClient client);
  void launch_failed(const RecordPtr& record, const Error& error);
  void took_status(const RecordPtr& record, const MonitorStatus& status);
  void learn_cpu(const RecordPtr& record, Completion done);
  void finish_start_with_devices(const RecordPtr& record);
  void finish_start_with_network(const RecordPtr& record);
  void finish_start_with_cpu(const RecordPtr& record);
  static void ask_agent_in_turn(const RecordPtr& record, GuestAgentCall::Command command,
                                GuestAgentCall::Handler handler);
  static void ask_device_statistics(const RecordPtr& record, DeviceStatisticsHandler handler);
  void resume_verified(const RecordPtr& record);
  void refuse_start(const RecordPtr& record, const Error& error);
  void finish_start(const RecordPtr& record, bool paused);
  void announce_start(const RecordPtr& record, bool paused);

  Result<std::string> add_device(DomainRecord& record, const domain_xml::DeviceElement& device) const;
  void plug_disk(const RecordPtr& record, const std::string& alias, Completion done);
  void open_disk(const RecordPtr& record, const std::string& alias, const Resources& resources,
                 const Completion& done);
  void plug_interface(const RecordPtr& record, const std::string& alias, Completion done);
  void open_interface(const RecordPtr& record, const std::string& alias, const Resources& resources,
                      const Completion& done);
  void took_interface(const RecordPtr& record, const NetworkInterfaceConfig& config, Completion done);
  static void wait_for_removal(const RecordPtr& record, const std::string& alias, Completion done);
  void not_plugged(DomainRecord& record, const std::string& alias);
  bool drop_device(DomainRecord& record, const std::string& alias);
  void limit_updated(const RecordPtr& record, const domain_xml::Interface& updated, Completion done);
  void set_link(const RecordPtr& record, const domain_xml::Interface& updated, Completion done);
  void took_interface_change(DomainRecord& record, const domain_xml::Interface& updated);
  void change_medium(const RecordPtr& record, domain_xml::Disk disk, const Resources& resources, bool force,
                     const Completion& done);
  void offer_medium(const RecordPtr& record, const DiskConfig& config, Completion done);
  void lay_in(const RecordPtr& record, const domain_xml::Disk& disk, bool force, const Completion& done);
  void take_back(const RecordPtr& record, const domain_xml::Disk& disk, const Result<>& failure,
                 const Completion& done);
  void open_tray(const RecordPtr& record, const domain_xml::Disk& disk, bool force, Completion done);
  static void wait_for_tray(const RecordPtr& record, const domain_xml::Disk& disk, Completion done);
  void took_disk(const RecordPtr& record, const domain_xml::Disk& disk, const Completion& done);
  void tray_moved(DomainRecord& record, const MonitorEvent& event);
  void device_removed(DomainRecord& record, const std::string& alias);
  void compare_devices(const RecordPtr& record);
  void emit_device(const DomainRecord& record, int event_id, const std::string& alias) const;

  void handle_event(const RecordPtr& record, const MonitorEvent& event);
  void started_anew(const RecordPtr& record);
  void set_crashed(const RecordPtr& record, const std::string& message);
  /// Why a domain is paused: virDomainPausedReason, virDomainEventSuspendedDetailType.
  struct Pause {
    int reason, detail;
  };
  static const Pause kPausedByUser;
  void set_paused(const RecordPtr& record, const Pause& pause);
  void set_running(const RecordPtr& record);
  void disk_failed(const RecordPtr& record, const MonitorEvent& event);
  void port_changed(const RecordPtr& record, const MonitorEvent& event);
  void link_lost(DomainRecord& record, const MonitorEvent& event);
  void rtc_changed(DomainRecord& record, const MonitorEvent& event);
  void keep_clock(DomainRecord& record, std::int64_t offset_seconds);
  void begin_stop(const RecordPtr& record, StopReason reason, std::string message);
  void monitor_gone(const RecordPtr& record);
  void finish_stop(const RecordPtr& record);
  void command(const RecordPtr& record, Operation operation, const MonitorCommand& command, Completion done,
               std::function<void()> succeeded = {});
  void run_job(const RecordPtr& record, std::string_view name, Completion done,
               std::function<void(Completion)> work);
  void start_in_turn(const RecordPtr& record, const StartOptions& options, Completion done);

  void reattach(const domain_xml::DomainStatus& status);
  void start_marked();
  RecordPtr take_definition(DomainStore::StoredDefinition& stored);
  bool finish_rename(const DomainStore::StoredDefinition& stored);
  void place_threads(const DomainRecord& record) const;
  void limit_live_threads(const DomainRecord& record) const;
  void save_status(const DomainRecord& record) const;
  void emit(const DomainEvent& event) const {
    if (event_handler_) event_handler_(event);
  }
  void emit(const DomainRecord& record, int event, int detail) const;
  void emit_reboot(const DomainRecord& record) const;

  HostAccess host_;
  DomainStore store_;
  DomainRegistry registry_;
  HookRunner hooks_;
  DeviceOpener opener_;
  CommandRunner commands_;
  HostResources resources_;
  std::list<Identity> being_stored_;
  WorkerThreads storing_;
  DelayedWork names_sync_;
  MachineScopes scopes_;
  EventHandler event_handler_;
  const std::chrono::seconds monitor_patience_;
};

}  // namespace virttdx::driver
