// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx {

/// A child process that serves a disk, confined (confinement.h): it ends when this object does, and when the
/// thread that started it does.
class DaemonProcess {
 public:
  struct Command {
    std::string program;  ///< absolute path
    std::vector<std::string> arguments;
    std::vector<int> inherited;  ///< descriptors that keep their numbers in the child
    bool needs_network = false;
  };
  static Result<std::unique_ptr<DaemonProcess>> start(const Command& command);
  /// Asks it to end; it ends at once when it does not within ten seconds.
  ~DaemonProcess();
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;

  pid_t pid() const { return pid_; }
  /// "exited with status 1", when it has ended within some seconds; empty while it runs.
  std::string end_of_life();

 private:
  DaemonProcess(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  bool wait(int milliseconds);

  const pid_t pid_;
  UniqueFd pidfd_;
  bool is_reaped_ = false;
  int status_ = 0;
};

/// The program of that name in PATH; NotFound when there is none.
Result<std::string> find_program(const std::string& name);

}  // namespace virttdx
