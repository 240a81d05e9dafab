// SPDX-License-Identifier: GPL-2.0-or-later
// Signals as events of the event loop.
#pragma once

#include <QSocketNotifier>
#include <functional>
#include <memory>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx::driver {

class SignalWatcher {
 public:
  /// Blocks SIGINT, SIGTERM, SIGHUP and SIGCHLD for the process and calls `quit` for the first two. Ended
  /// children are reaped; SIGHUP is ignored, there being nothing to reload.
  static Result<std::unique_ptr<SignalWatcher>> create(std::function<void()> quit);

 private:
  SignalWatcher(UniqueFd fd, std::function<void()> quit);
  void read_signals();

  UniqueFd fd_;
  std::function<void()> quit_;
  QSocketNotifier readable_;
};

}  // namespace virttdx::driver
