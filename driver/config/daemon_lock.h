// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <utility>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx::driver {

/// Takes the lock that only one daemon of these directories can hold, and writes the process's number into
/// the file. Held as long as the descriptor. Busy when another daemon has it.
Result<UniqueFd> take_daemon_lock(const std::filesystem::path& file);

/// A file with the process's number for as long as the process runs (--pid-file), locked in the same way.
class PidFile {
 public:
  static Result<PidFile> take(const std::filesystem::path& file);
  PidFile(PidFile&&) = default;
  PidFile& operator=(PidFile&&) = default;
  ~PidFile();

 private:
  PidFile(UniqueFd fd, std::filesystem::path path) : fd_(std::move(fd)), path_(std::move(path)) {}

  UniqueFd fd_;
  std::filesystem::path path_;
};

}  // namespace virttdx::driver
