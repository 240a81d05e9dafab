// SPDX-License-Identifier: GPL-2.0-or-later
// A domain that the daemon knows: its definitions and, while it runs, its monitor.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "domain/state_table.h"
#include "domain_xml/domain.h"
#include "process/monitor_link.h"
#include "process/monitor_process.h"
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
  DeferredDelete<MonitorConnector> connector;  ///< until the control socket answers
  DeferredDelete<MonitorLink> monitor;
  MonitorStatus status;  ///< the newest that the monitor told
  StopReason stop_reason = StopReason::None;
  std::string stop_message;
  bool recreate_after_shutdown = false;  ///< a reboot was asked for
  bool recreated = false;                ///< this start follows a reboot
  bool changed = false;                  ///< differs from what it was started with
  bool cpu_asked = false;                ///< the monitor was asked for the CPU that the guest has
  bool verify_cpu = false;               ///< check='full': no start with a CPU other than asked for
  bool resume_when_verified = false;     ///< the guest waits for that, and for nothing else
  std::optional<Error> refusal;          ///< why the start ends though the TD was launched
};

struct DomainRecord {
  std::string name;
  std::string uuid;
  int id = -1;
  Phase phase = Phase::Inactive;
  int reason = 0;  ///< of libvirt_state(phase)
  bool autostart = false;
  std::optional<domain_xml::Domain> definition;  ///< as stored; absent: transient
  std::vector<std::string> definition_messages;  ///< findings of its definition
  std::vector<std::string> definition_changes;   ///< of these: what was changed when it was defined
  std::optional<LiveDomain> live;
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
