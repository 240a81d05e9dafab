// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "control/control_handler.h"
#include "control/control_wire.h"
#include "support/unique_fd.h"

namespace virttdx {

/// A reply line, and the descriptor that goes with it.
struct OutgoingLine {
  std::string text;
  UniqueFd descriptor;
};

/// Runs one command line of a client (without its '\n'). What cannot be read is answered with an error too,
/// with id 0 when it has none.
OutgoingLine run_command_line(std::string_view line, ControlHandler& handler);

}  // namespace virttdx
