// SPDX-License-Identifier: GPL-2.0-or-later
// What stands between this host and a running TD.
#pragma once

#include <QString>

#include "command.h"

namespace virttdx::tools {

/// Prints each check with PASS, WARN or FAIL and what to do about it. `root`: the directory whose files are
/// looked at instead of the machine's; what KVM offers is asked of this machine. kFindings: a check failed.
Result<ExitCode> validate_host(const QString& root, bool json);

}  // namespace virttdx::tools
