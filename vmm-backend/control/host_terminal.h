// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <termios.h>

#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx {

/// Connects this process's standard input and output with a serial console, for a monitor started by hand. A
/// terminal is in raw mode meanwhile; Ctrl-A X leaves, Ctrl-A Ctrl-A types a Ctrl-A.
class HostTerminal {
 public:
  /// `console` is what SerialConsole::attach() returned. `on_leave` is called once from another thread, on
  /// Ctrl-A X or when the terminal hangs up.
  static Result<std::unique_ptr<HostTerminal>> create(UniqueFd console, std::function<void()> on_leave);
  /// Shows what the console still holds and restores the terminal.
  ~HostTerminal();
  HostTerminal(const HostTerminal&) = delete;
  HostTerminal& operator=(const HostTerminal&) = delete;

 private:
  HostTerminal(UniqueFd console, std::function<void()> on_leave)
      : console_(std::move(console)), on_leave_(std::move(on_leave)) {}
  Result<> enter_raw_mode();
  void run();
  bool copy_output();
  void drain_output();
  bool copy_input();
  bool is_leave_key(char key);

  UniqueFd console_;
  std::function<void()> on_leave_;
  UniqueFd end_;  // an eventfd: the destructor wants the thread to end
  std::optional<termios> saved_;
  bool escaped_ = false;
  std::thread thread_;
};

}  // namespace virttdx
