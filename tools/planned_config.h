// SPDX-License-Identifier: GPL-2.0-or-later
// What the monitor would be told to launch for a domain that the command line names.
#pragma once

#include "command.h"

namespace virttdx::tools {

/// --host and --connect.
void add_planning_options(CommandLine& line);

/// Of the domain of the first argument, completed and planned as at its start; nothing is started. Errors:
/// those of domain_xml_from(), host_from() and the definition, and what would keep the domain from starting.
Result<VmConfig> planned_config(const CommandLine& line);

}  // namespace virttdx::tools
