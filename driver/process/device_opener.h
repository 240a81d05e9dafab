// SPDX-License-Identifier: GPL-2.0-or-later
// Devices for TDs that run: a process of the monitor's program opens what the device has of the host and
// gives it to the monitor, which is confined. On the event loop.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "process/program.h"
#include "support/result.h"
#include "vmm_backend/device_config.h"

namespace virttdx::driver {

class DeviceOpener {
 public:
  using Done = std::function<void(Result<>)>;
  explicit DeviceOpener(std::filesystem::path monitor_binary) : monitor_binary_(std::move(monitor_binary)) {}

  /// The monitor, and the TD's log: what is started for the device writes there.
  struct Monitor {
    std::filesystem::path control_socket, log_file;
  };

  /// Done when the device is in its slot. Internal: what the process or the monitor said against it. A disk
  /// that needs_storage_daemon(); another is given to the monitor itself.
  /// `inherited`: descriptors that the configuration names, which are needed until this returns.
  void add_disk(const Monitor& monitor, const DiskConfig& config, std::vector<int> inherited, Done done);
  void add_interface(const Monitor& monitor, const NetworkInterfaceConfig& config, Done done);
  /// A child of this process has ended (status as of waitpid(2)). Others than its own are ignored.
  void child_ended(pid_t child, int status);

 private:
  struct Call {
    const char* option;
    std::string config;
    std::vector<int> inherited{};
  };
  void open(const Monitor& monitor, Call call, Done done);
  struct Opening {
    RunningProgram program;
    Done done;
  };
  const std::filesystem::path monitor_binary_;
  std::map<pid_t, Opening> running_;
};

}  // namespace virttdx::driver
