// SPDX-License-Identifier: GPL-2.0-or-later
// The administrator's hook scripts (https://libvirt.org/hooks.html), on the event loop.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "process/program.h"
#include "support/result.h"

namespace virttdx::driver {

/// What a script is told: its four arguments, and a document on its standard input.
struct HookCall {
  std::string object = {};
  std::string_view operation;
  std::string_view sub_operation = "begin";
  std::string extra = "-";
  std::string input = {};
};

class HookRunner {
 public:
  using Done = std::function<void(Result<>)>;

  /// Scripts are DIRECTORY/DRIVER and then those of DIRECTORY/DRIVER.d, by name.
  HookRunner(std::filesystem::path directory, std::string_view driver);

  bool any() const { return !scripts().empty(); }
  /// Runs every script that is there, one after the other; without any, `done` is called at once. The first
  /// failure ends it: Internal, with the end of what the script wrote to its standard error.
  void run(HookCall call, Done done);
  /// Kills what runs for an object: its call ends with a failure.
  void interrupt(std::string_view object);
  /// A child of this process has ended (status as of waitpid(2)). Others than scripts are ignored.
  void child_ended(pid_t child, int status);

 private:
  struct Script {
    HookCall call;
    std::filesystem::path path;
    std::vector<std::filesystem::path> next;  ///< last one first
    RunningProgram program;
    Done done;
  };
  std::vector<std::filesystem::path> scripts() const;
  void start_next(Script script);

  const std::filesystem::path directory_;
  const std::string driver_;
  std::map<pid_t, Script> running_;
};

}  // namespace virttdx::driver
