// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "control/control_handler.h"
#include "control/control_wire.h"
#include "support/unique_fd.h"

namespace virttdx {

/// A reply line, and the descriptors that go with it.
struct OutgoingLine {
  std::string text;
  std::vector<UniqueFd> descriptors;
};

/// Runs one command line of a client (without its '\n'). What cannot be read is answered with an error too,
/// with id 0 when it has none. `descriptors` are those that came and that no earlier command took: it takes
/// its own from their front.
OutgoingLine run_command_line(std::string_view line, std::vector<UniqueFd>& descriptors,
                              ControlHandler& handler);

}  // namespace virttdx
