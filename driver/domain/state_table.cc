// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain/state_table.h"

#include <libvirt/libvirt.h>

#include <array>

namespace virttdx::driver {
namespace {

constexpr unsigned bit(Phase phase) { return 1U << static_cast<unsigned>(phase); }

struct PhaseRow {
  Phase phase;
  unsigned followers;
  int state;
};

// A failed start goes back to Inactive; a domain that restarts itself goes from Stopping to Starting.
constexpr std::array<PhaseRow, kPhaseCount> kPhases = {{
    {Phase::Inactive, bit(Phase::Starting), VIR_DOMAIN_SHUTOFF},
    {Phase::Starting, bit(Phase::Running) | bit(Phase::Paused) | bit(Phase::Stopping) | bit(Phase::Inactive),
     VIR_DOMAIN_PAUSED},
    {Phase::Running, bit(Phase::Paused) | bit(Phase::Crashed) | bit(Phase::Stopping) | bit(Phase::Inactive),
     VIR_DOMAIN_RUNNING},
    {Phase::Paused, bit(Phase::Running) | bit(Phase::Crashed) | bit(Phase::Stopping) | bit(Phase::Inactive),
     VIR_DOMAIN_PAUSED},
    {Phase::Crashed, bit(Phase::Running) | bit(Phase::Paused) | bit(Phase::Stopping) | bit(Phase::Inactive),
     VIR_DOMAIN_CRASHED},
    {Phase::Stopping, bit(Phase::Inactive) | bit(Phase::Starting), VIR_DOMAIN_SHUTDOWN},
}};

constexpr unsigned kLive = bit(Phase::Running) | bit(Phase::Paused);
constexpr unsigned kThere = kLive | bit(Phase::Crashed);

struct OperationRow {
  Operation operation;
  unsigned allowed;
  std::string_view refusal = {};  ///< empty: by the phase
};

constexpr std::array kOperations = {
    OperationRow{Operation::Start, bit(Phase::Inactive)},
    OperationRow{Operation::Destroy, kThere | bit(Phase::Starting) | bit(Phase::Stopping)},
    OperationRow{Operation::Shutdown, bit(Phase::Running), "domain is not running"},
    OperationRow{Operation::Reboot, kThere},
    OperationRow{Operation::Reset, kThere},
    OperationRow{Operation::Suspend, kLive},
    OperationRow{Operation::Resume, bit(Phase::Paused)},
    OperationRow{Operation::OpenConsole, kThere},
    OperationRow{Operation::Query, kThere},
};

// Why not, by the phase the domain is in.
constexpr std::array<std::string_view, kPhaseCount> kRefusals = {
    "domain is not running",     "domain is being started", "domain is already running",
    "domain is already running", "domain has crashed",      "domain is being shut down"};

}  // namespace

bool may_follow(Phase from, Phase to) {
  return (kPhases.at(static_cast<std::size_t>(from)).followers & bit(to)) != 0;
}

Result<> check_operation(Operation operation, Phase phase) {
  const OperationRow& row = kOperations.at(static_cast<std::size_t>(operation));
  CHECK(row.operation == operation);
  if ((row.allowed & bit(phase)) != 0) return {};
  return fail(Error::Code::WrongState, "{}",
              row.refusal.empty() ? kRefusals.at(static_cast<std::size_t>(phase)) : row.refusal);
}

int libvirt_state(Phase phase) { return kPhases.at(static_cast<std::size_t>(phase)).state; }

}  // namespace virttdx::driver
