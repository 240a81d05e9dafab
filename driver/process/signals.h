// SPDX-License-Identifier: GPL-2.0-or-later
// Signals as events of the event loop.
#pragma once

#include <sys/types.h>

#include <QSocketNotifier>
#include <functional>
#include <memory>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx::driver {

class SignalWatcher {
 public:
  /// Gets the id of a child that has ended and how, as waitpid(2) has it.
  using ChildHandler = std::function<void(pid_t child, int status)>;
  /// Blocks SIGINT, SIGTERM, SIGHUP and SIGCHLD for the process and calls `quit` for the first two. Ended
  /// children are reaped; SIGHUP is ignored, there being nothing to reload.
  static Result<std::unique_ptr<SignalWatcher>> create(std::function<void()> quit, ChildHandler child_ended);

 private:
  SignalWatcher(UniqueFd fd, std::function<void()> quit, ChildHandler child_ended);
  void read_signals();

  UniqueFd fd_;
  std::function<void()> quit_;
  ChildHandler child_ended_;
  QSocketNotifier readable_;
};

}  // namespace virttdx::driver
