// SPDX-License-Identifier: GPL-2.0-or-later
// One monitor as a process: started apart from the daemon, recognised again after a restart of it.
#pragma once

#include <sys/types.h>

#include <QTimer>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "process/deferred_delete.h"
#include "support/result.h"
#include "support/unique_fd.h"
#include "vmm_backend/control_client.h"

namespace virttdx::driver {

/// The pid alone may have been given to another process since.
struct MonitorProcess {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  ///< /proc/PID/stat field 22, in clock ticks since boot
  std::filesystem::path control_socket;
};

struct MonitorCommand {
  std::filesystem::path binary;
  std::filesystem::path config_file;  ///< VmConfig as JSON
  std::filesystem::path control_socket;
  std::filesystem::path log_file;           ///< appended to
  std::filesystem::path soft_profile = {};  ///< HostAccess::soft_profile
  std::vector<int> inherited = {};          ///< descriptors that keep their numbers in the monitor
};

/// A process that waits to become a monitor, in a session of its own, which outlives the daemon. Destroyed
/// before it was told to go on, it ends.
class WaitingMonitor {
 public:
  WaitingMonitor(std::filesystem::path binary, UniqueFd permission, UniqueFd report);
  /// Returns when the monitor has been executed.
  Result<> go_on() const;

 private:
  std::filesystem::path binary_;
  UniqueFd permission_;  ///< a byte says yes, the end of the pipe that there will be none
  UniqueFd report_;      ///< closes by itself on exec; a number in it is the errno of what failed
};

/// `record` is to keep what it is given on disk: the process becomes a monitor only afterwards, so a daemon
/// killed at any time leaves none that the next one does not know.
Result<WaitingMonitor> fork_monitor(const MonitorCommand& command,
                                    const std::function<void(const MonitorProcess&)>& record);

/// Whether it still runs (a zombie does not).
bool is_alive(const MonitorProcess& process);
/// Sends a signal unless the process is gone. Never to another process.
void signal_process(const MonitorProcess& process, int signal);
/// User and system time that the process has used, in nanoseconds; 0 when it is gone.
std::uint64_t cpu_time_ns(const MonitorProcess& process);
/// Resident memory in KiB; 0 when it is gone.
std::uint64_t resident_kib(const MonitorProcess& process);

/// Connects to a monitor's control socket as soon as it answers. Never waits for it.
class MonitorConnector {
 public:
  /// Gets the connection, or why there will be none: WrongState (the process ended), TimedOut.
  using Handler = std::function<void(Result<ControlClient>)>;

  MonitorConnector(MonitorProcess process, std::chrono::milliseconds patience, Handler handler);
  void stop() { timer_.stop(); }

 private:
  void try_once();
  Result<bool> attempt();
  void finish(Result<ControlClient> result);

  MonitorProcess process_;
  std::optional<ControlClient> begun_;  ///< connected, its greeting has not come
  std::chrono::steady_clock::time_point deadline_;
  Handler handler_;
  QTimer timer_;
};

}  // namespace virttdx::driver
