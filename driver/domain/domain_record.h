// SPDX-License-Identifier: GPL-2.0-or-later
// A domain that the daemon knows: its definitions and, while it runs, its monitor.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "domain/job_queue.h"
#include "domain/state_table.h"
#include "domain_xml/domain.h"
#include "domain_xml/plan.h"
#include "host/host_resources.h"
#include "process/guest_agent.h"
#include "process/monitor_link.h"
#include "process/monitor_process.h"
#include "process/stream_claim.h"
#include "support/result.h"
#include "vmm_backend/monitor_messages.h"

namespace virttdx::driver {

/// Called once, with the outcome of an operation that takes time.
using Completion = std::function<void(Result<>)>;

/// What exists only while the domain runs.
struct LiveDomain {
  domain_xml::Domain definition;
  std::vector<std::string> messages;
  MonitorProcess process;
  std::optional<WaitingMonitor> waiting_monitor;  ///< until it is where it is to run
  DeferredDelete<MonitorConnector> connector;     ///< until the control socket answers
  DeferredDelete<MonitorLink> monitor;
  MonitorStatus status;  ///< the newest that the monitor told
  StopReason stop_reason = StopReason::None;
  std::string stop_message;
  domain_xml::RunResources resources;          ///< of other daemons
  std::map<std::string, DiskSecrets> secrets;  ///< by target, until the monitor has them
  bool preparing = false;                      ///< hooks and other daemons are asked, there is no monitor yet
  bool ending = false;  ///< the monitor has ended: hooks run, what other daemons gave is given back
  bool owes_started_hook = false;     ///< starts; the hook "started" has not been run
  bool panicked = false;              ///< and has not started anew since
  bool changed = false;               ///< differs from what it was started with
  bool devices_asked = false;         ///< the TD was launched: what it has got is being asked for
  bool verify_cpu = false;            ///< check='full': no start with a CPU other than asked for
  bool resume_when_verified = false;  ///< the guest waits for that, and for nothing else
  /// A device that the guest was asked to let go.
  struct Unplugging {
    std::chrono::steady_clock::time_point asked;
    Completion waiting = {};  ///< of whoever asked, for a while
  };
  std::map<std::string, Unplugging> unplugging;  ///< by alias
  /// By alias: that the guest opens one.
  std::map<std::string, std::shared_ptr<Completion>> waiting_for_trays;
  DeferredDelete<GuestAgentCall> agent_call;
  /// How long the agent may take for an answer; absent: as long as it likes
  /// (virDomainAgentSetResponseTimeout).
  std::optional<std::chrono::milliseconds> agent_patience;
  /// Who has the stream to a channel, by its alias.
  std::map<std::string, std::weak_ptr<StreamClaim>> channel_streams;
  std::optional<Error> refusal;  ///< why the start ends though the TD was launched
};

struct DomainRecord {
  std::string name;
  std::string uuid;
  int id = -1;
  Phase phase = Phase::Inactive;
  int reason = 0;  ///< of libvirt_state(phase)
  bool autostart = false;
  bool autostart_once = false;                   ///< at the next boot
  std::optional<domain_xml::Domain> definition;  ///< as stored; absent: transient
  std::vector<std::string> definition_messages;  ///< findings of its definition
  std::vector<std::string> definition_changes;   ///< of these: what was changed when it was defined
  std::optional<LiveDomain> live;
  JobQueue jobs{"monitor"};         ///< what changes the domain, one at a time
  JobQueue agent_jobs{"agent"};     ///< commands for its guest agent
  Completion started;               ///< of the start in progress
  std::vector<Completion> stopped;  ///< of those who wait for the end

  bool active() const { return phase != Phase::Inactive; }
  bool persistent() const { return definition.has_value(); }
  /// The definition in force: the live one, else the stored one.
  const domain_xml::Domain& current() const { return live ? live->definition : *definition; }
};
using RecordPtr = std::shared_ptr<DomainRecord>;

/// Moves on; a move that the state table does not have is a programming error.
void enter_phase(DomainRecord& record, Phase phase, int reason);

}  // namespace virttdx::driver
