// SPDX-License-Identifier: GPL-2.0-or-later
// The life of a domain: its phases, which follows which, and which operation is allowed in which.
#pragma once

#include <cstdint>
#include <string_view>

#include "support/result.h"

namespace virttdx::driver {

enum class Phase : std::uint8_t {
  Inactive,
  Starting,  ///< a monitor is being started, or launches the TD
  Running,
  Paused,
  Crashed,   ///< on_crash='preserve': the TD is there and does not run
  Stopping,  ///< the TD has ended or was told to; its monitor has not yet
};
inline constexpr int kPhaseCount = 6;

enum class Operation : std::uint8_t {
  Start,
  Destroy,
  Shutdown,
  Reboot,
  Reset,
  Suspend,
  Resume,
  OpenConsole,
  Query
};

/// Whether `to` may follow `from`.
bool may_follow(Phase from, Phase to);

/// WrongState with libvirt's words when `operation` is not allowed in `phase`.
Result<> check_operation(Operation operation, Phase phase);

/// virDomainState of a phase.
int libvirt_state(Phase phase);

}  // namespace virttdx::driver
