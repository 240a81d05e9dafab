// SPDX-License-Identifier: GPL-2.0-or-later
// Programs of the host, run one after the other without holding up the event loop.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "process/program.h"
#include "support/result.h"

namespace virttdx::driver {

struct HostCommand {
  std::string program;  ///< its name, looked for in PATH and where programs for administrators are
  std::string package;  ///< Debian's, for who does not have it
  std::vector<std::string> arguments;
  bool may_fail = false;
};

class CommandRunner {
 public:
  using Done = std::function<void(Result<>)>;
  /// In this order, up to the first that fails: ConfigUnsupported (there is no such program), Internal (with
  /// what it said). Without any, `done` is called at once.
  void run(std::vector<HostCommand> commands, Done done);
  /// A child of this process has ended (status as of waitpid(2)). Others than its own are ignored.
  void child_ended(pid_t child, int status);

 private:
  struct Sequence {
    std::vector<HostCommand> left;  ///< the next one last
    HostCommand running;
    RunningProgram program;
    Done done;
  };
  void start_next(Sequence sequence);
  std::map<pid_t, Sequence> running_;
};

}  // namespace virttdx::driver
