// SPDX-License-Identifier: GPL-2.0-or-later
// hooks/daemon and hooks/daemon.d: told of the daemon's own start, shutdown and reload.
#pragma once

#include "process/hook_runner.h"

namespace virttdx::driver {

class DaemonHook {
 public:
  explicit DaemonHook(std::filesystem::path directory) : scripts_(std::move(directory), "daemon") {}

  /// Return when the scripts have ended, with the event loop turning meanwhile. A failure is logged: the
  /// daemon starts and ends all the same, as libvirt's do.
  void start() { run_to_end("start"); }
  void shutdown() { run_to_end("shutdown"); }
  /// `done` is called when the scripts have ended.
  void reload(std::function<void()> done);
  /// Kills what runs: the daemon is to end.
  void interrupt() { scripts_.interrupt(kDaemon); }
  void child_ended(pid_t child, int status) { scripts_.child_ended(child, status); }

 private:
  static constexpr auto kDaemon = "-";
  void run_to_end(std::string_view operation);

  HookRunner scripts_;
};

}  // namespace virttdx::driver
