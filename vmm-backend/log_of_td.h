// SPDX-License-Identifier: GPL-2.0-or-later
// Standard error of a process that opens a device for a running TD: what it starts outlives it and goes on
// writing there, so that is the TD's log; what goes wrong is for the caller all the same.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string_view>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx {

class LogOfTd {
 public:
  /// From now on standard error is the file, which is appended to. System: it cannot be opened.
  static Result<LogOfTd> begin(const std::filesystem::path& file);

  /// Tells the caller, on the standard error there was: what was written into the file since, and `message`.
  void report(std::string_view message) const;

 private:
  UniqueFd file_, caller_;
  off_t begin_ = 0;
};

}  // namespace virttdx
