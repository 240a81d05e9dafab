// SPDX-License-Identifier: GPL-2.0-or-later
#include "log_of_td.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace virttdx {
namespace {

// Of what others wrote, the end is what says why it failed.
constexpr off_t kShownMaximum = 4096;

std::string written_since(int file, off_t begin) {
  const off_t end = ::lseek(file, 0, SEEK_END);
  begin = std::max(begin, end - kShownMaximum);
  std::string text(static_cast<std::size_t>(std::max<off_t>(end - begin, 0)), '\0');
  const ssize_t count = ::pread(file, text.data(), text.size(), begin);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return text;
}

}  // namespace

Result<LogOfTd> LogOfTd::begin(const std::filesystem::path& file) {
  LogOfTd log;
  log.file_ = UniqueFd(::open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!log.file_) return fail_errno(errno, "cannot open the log '{}'", file.string());
  log.begin_ = ::lseek(log.file_.get(), 0, SEEK_END);
  log.caller_ = UniqueFd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!log.caller_ || ::dup2(log.file_.get(), STDERR_FILENO) < 0)
    return fail_errno(errno, "cannot write messages to the log '{}'", file.string());
  return log;
}

void LogOfTd::report(std::string_view message) const {
  const std::string text = fmt::format("{}{}\n", written_since(file_.get(), begin_), message);
  [[maybe_unused]] const auto told = ::write(caller_.get(), text.data(), text.size());
}

}  // namespace virttdx
