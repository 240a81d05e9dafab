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
  struct Handlers {
    std::function<void()> quit;    ///< SIGINT, SIGTERM
    std::function<void()> reload;  ///< SIGHUP
    ChildHandler child_ended;      ///< of each child, which has been reaped
  };
  /// Blocks these signals and SIGCHLD for the process.
  static Result<std::unique_ptr<SignalWatcher>> create(Handlers handlers);

 private:
  SignalWatcher(UniqueFd fd, Handlers handlers);
  void read_signals();

  UniqueFd fd_;
  Handlers handlers_;
  QSocketNotifier readable_;
};

}  // namespace virttdx::driver
