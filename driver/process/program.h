// SPDX-License-Identifier: GPL-2.0-or-later
// Programs that the daemon runs beside the monitors: hook scripts, what opens a device.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx::driver {

struct ProgramCall {
  std::filesystem::path path;
  std::vector<std::string> arguments;
  std::string_view input;        ///< its standard input
  std::vector<int> inherited{};  ///< descriptors that keep their numbers
};
struct RunningProgram {
  pid_t pid = 0;
  UniqueFd errors;  ///< its standard error, a file in memory
};
/// In a session of its own, so that all of it can be killed.
Result<RunningProgram> run_program(const ProgramCall& call);

/// The end of what it has written to its standard error, on one line.
std::string last_words(const RunningProgram& program);
/// Of a status as of waitpid(2): "unexpected exit status 1", "fatal signal 9".
std::string describe_end(int status);

}  // namespace virttdx::driver
