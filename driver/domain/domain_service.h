// SPDX-License-Identifier: GPL-2.0-or-later
// libvirt's domain API over the registry, the files and the monitors. Used on the event loop's thread only;
// nothing here waits: what takes time ends in a Completion.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/domain_event.h"
#include "domain/domain_record.h"
#include "domain/domain_registry.h"
#include "domain/domain_store.h"
#include "domain/impact.h"
#include "host/host_access.h"

namespace virttdx::driver {

struct StartOptions {
  bool paused = false;
};

class DomainService {
 public:
  using EventHandler = std::function<void(const DomainEvent&)>;
  using ReplyHandler = std::function<void(Result<ControlReply>)>;

  /// A monitor that does not answer a command for `monitor_patience` fails it.
  DomainService(Directories directories, HostAccess host, std::chrono::seconds monitor_patience);

  const HostAccess& host() const { return host_; }
  const DomainRegistry& domains() const { return registry_; }
  void on_event(EventHandler handler) { event_handler_ = std::move(handler); }

  /// Reads definitions, takes over the monitors that run, starts what is marked for autostart (once a boot).
  void load();

  // Definitions (definitions.cc, changes.cc).
  Result<RecordPtr> define(std::string_view xml);
  Result<> undefine(const RecordPtr& record);
  Result<> set_autostart(const RecordPtr& record, bool autostart);
  Result<> rename(const RecordPtr& record, const std::string& new_name);
  /// Makes a change to the stored definition, the live one, or both; what the monitor has to do about it has
  /// been done. The change must give the same for both.
  using Change = std::function<Result<>(domain_xml::Domain&)>;
  Result<> change(const RecordPtr& record, const Impact& impact, const Change& change);
  /// `type` is a virDomainMetadataType; `uri` of an element.
  void announce_metadata(const DomainRecord& record, int type, std::optional<std::string> uri) const;
  /// Starts a domain that vanishes when it stops; `done` gets its record once the TD runs.
  void create_transient(std::string_view xml, const StartOptions& options,
                        std::function<void(Result<RecordPtr>)> done);

  // Life (start.cc, stop.cc).
  void start(const RecordPtr& record, const StartOptions& options, Completion done);
  void destroy(const RecordPtr& record, Completion done);
  /// Asks the guest to power off; done when the request reached it.
  void shutdown(const RecordPtr& record, Completion done);
  /// As shutdown, and a new TD of the same domain starts when the guest has powered off.
  void reboot(const RecordPtr& record, Completion done);
  void reset(const RecordPtr& record, Completion done);
  void suspend(const RecordPtr& record, Completion done);
  void resume(const RecordPtr& record, Completion done);

  /// Sends a command to the monitor of a running domain; refused in libvirt's words when it does not run.
  void ask_monitor(const RecordPtr& record, std::string_view command, const nlohmann::json& arguments,
                   ReplyHandler handler);
  /// What the newest monitor's status said, fetched anew.
  void refresh_status(const RecordPtr& record, Completion done);

  /// Domains that are active.
  std::size_t active_count() const;

 private:
  struct ReadDefinition {
    domain_xml::Domain domain;
    std::vector<domain_xml::Finding> changes;  ///< what completing it changed
  };
  Result<ReadDefinition> read_definition(std::string_view xml) const;
  Result<RecordPtr> record_for_run(std::string_view xml);
  std::vector<domain_xml::Finding> findings_of(const domain_xml::Domain& domain) const;
  void forget_if_unused(const RecordPtr& record);

  Result<> launch(const RecordPtr& record, const StartOptions& options);
  Result<> prepare_launch(DomainRecord& record, const StartOptions& options);
  Result<> prepare_relaunch(const DomainRecord& record);
  void connect_monitor(const RecordPtr& record);
  void attach(const RecordPtr& record, ControlClient client);
  void launch_failed(const RecordPtr& record, const Error& error);
  void took_status(const RecordPtr& record, const MonitorStatus& status);
  void learn_cpu(const RecordPtr& record, Completion done);
  void finish_start_with_cpu(const RecordPtr& record);
  void resume_verified(const RecordPtr& record);
  void refuse_start(const RecordPtr& record, const Error& error);
  void finish_start(const RecordPtr& record, bool paused);

  void handle_event(const RecordPtr& record, const MonitorEvent& event);
  void set_paused(const RecordPtr& record, bool paused);
  void begin_stop(const RecordPtr& record, StopReason reason, std::string message);
  void monitor_gone(const RecordPtr& record);
  void finish_stop(const RecordPtr& record);
  bool begin_recreation(const RecordPtr& record);
  void command(const RecordPtr& record, Operation operation, std::string_view name, Completion done,
               std::function<void()> succeeded = {});

  void reattach(const domain_xml::DomainStatus& status);
  void start_marked();
  bool finish_rename(const DomainStore::StoredDefinition& stored);
  void apply_pins(const RecordPtr& record) const;
  void save_status(const DomainRecord& record) const;
  void emit(const DomainRecord& record, int event, int detail) const;
  void emit_reboot(const DomainRecord& record) const;

  HostAccess host_;
  DomainStore store_;
  DomainRegistry registry_;
  EventHandler event_handler_;
  const std::chrono::seconds monitor_patience_;
};

}  // namespace virttdx::driver
