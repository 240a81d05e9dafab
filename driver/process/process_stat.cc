// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/process_stat.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <string_view>

#include "host/kernel_file.h"

namespace virttdx::driver {
namespace {

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::uint64_t number_of(std::string_view word) {
  std::uint64_t value = 0;
  std::from_chars(word.data(), word.data() + word.size(), value);
  return value;
}

// proc(5): the second field is the command in parentheses, which may itself contain any of these; fields
// after the last ')' start with number 3.
Result<ProcessStat> parse_stat(const std::string& path) {
  const std::string text = read_kernel_file(path);
  const std::size_t close = text.rfind(')');
  if (close == std::string::npos) return fail(Error::Code::NotFound, "no process has '{}'", path);
  const auto fields = words_of(std::string_view(text).substr(close + 1));
  constexpr std::size_t kFirst = 3, kUserTime = 14, kSystemTime = 15, kStartTime = 22, kResident = 24,
                        kProcessor = 39;
  if (fields.size() <= kProcessor - kFirst) return fail(Error::Code::InvalidData, "'{}' is too short", path);
  return ProcessStat{.state = fields[0].front(),
                     .user_ticks = number_of(fields[kUserTime - kFirst]),
                     .system_ticks = number_of(fields[kSystemTime - kFirst]),
                     .start_time = number_of(fields[kStartTime - kFirst]),
                     .resident_pages = number_of(fields[kResident - kFirst]),
                     .processor = static_cast<std::uint32_t>(number_of(fields[kProcessor - kFirst]))};
}

}  // namespace

Result<ProcessStat> read_process_stat(pid_t pid) { return parse_stat(fmt::format("/proc/{}/stat", pid)); }

Result<ProcessStat> read_thread_stat(pid_t pid, pid_t thread) {
  return parse_stat(fmt::format("/proc/{}/task/{}/stat", pid, thread));
}

// In milliseconds, with six digits behind the point: "wait_sum    :   12.345678", of older kernels
// "se.statistics.wait_sum".
std::optional<std::uint64_t> scheduler_wait_ns(std::string_view sched) {
  constexpr std::string_view kName = "wait_sum";
  constexpr double kNsPerMs = 1e6;
  for (auto at = sched.find(kName); at != std::string_view::npos; at = sched.find(kName, at + 1)) {
    const auto begin = sched.find_first_not_of(' ', at + kName.size());
    if (begin == std::string_view::npos || sched[begin] != ':') continue;
    const auto digits = std::min(sched.find_first_not_of(' ', begin + 1), sched.size());
    double milliseconds = 0;
    const auto [end, error] =
        std::from_chars(sched.data() + digits, sched.data() + sched.size(), milliseconds);
    if (error == std::errc()) return static_cast<std::uint64_t>(std::llround(milliseconds * kNsPerMs));
  }
  return std::nullopt;
}

std::vector<ProcessThread> threads_of(pid_t pid) {
  std::vector<ProcessThread> threads;
  const std::filesystem::path folder = fmt::format("/proc/{}/task", pid);
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::string name = read_kernel_file(at->path() / "comm");
    name.resize(std::min(name.find('\n'), name.size()));
    threads.push_back({static_cast<pid_t>(number_of(at->path().filename().native())), std::move(name)});
  }
  return threads;
}

std::uint64_t ticks_to_ns(std::uint64_t ticks) {
  static const auto kPerSecond = static_cast<std::uint64_t>(std::max(sysconf(_SC_CLK_TCK), 1L));
  return ticks * (1'000'000'000 / kPerSecond);
}

}  // namespace virttdx::driver
