// SPDX-License-Identifier: GPL-2.0-or-later
// --daemon: the daemon as a process of its own, without the terminal that it was started from.
#pragma once

#include <string_view>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx::driver {

/// What the process that was started waits for. Empty: nobody waits.
class Starter {
 public:
  Starter() = default;
  explicit Starter(UniqueFd pipe) : pipe_(std::move(pipe)) {}

  /// The daemon serves: the process that was started ends with 0.
  void tell_ready();
  /// It cannot: that process says so on its standard error and ends with 1.
  void tell_failed(std::string_view message);

 private:
  void tell(std::string_view text);

  UniqueFd pipe_;
};

/// Returns in a new process, in a session of its own and with /dev/null for standard input, output and error.
/// The calling process stays until the new one tells it something or ends, and does not return. To be called
/// before there are threads.
Result<Starter> go_to_background();

}  // namespace virttdx::driver
