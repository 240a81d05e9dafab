// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/log_sink.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <ctime>
#include <mutex>
#include <string>
#include <utility>

namespace virttdx::log {
namespace {

std::atomic<Priority> threshold{Priority::Info};
std::mutex sink_mutex;
Sink sink;  // guarded by sink_mutex

std::string timestamp() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const std::time_t seconds = milliseconds / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%F %T", &utc);
  return fmt::format("{}.{:03}+0000", text.data(), milliseconds % 1000);
}

const char* name_of(Priority priority) {
  switch (priority) {
    case Priority::Debug:
      return "debug";
    case Priority::Info:
      return "info";
    case Priority::Warning:
      return "warning";
    case Priority::Error:
      return "error";
  }
  return "?";
}

std::string on_one_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f)
      line += c;
    else
      line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return line;
}

}  // namespace

void set_threshold(Priority priority) { threshold = priority; }

void set_sink(Sink new_sink) {
  const std::lock_guard lock(sink_mutex);
  sink = std::move(new_sink);
}

void write(Priority priority, std::string_view text) {
  if (priority < threshold.load()) return;
  const std::string shown = on_one_line(text);
  const std::string line = fmt::format("{}: {}: {} : {}\n", timestamp(), getpid(), name_of(priority), shown);
  const std::lock_guard lock(sink_mutex);
  if (sink) return sink(priority, line, shown);
  // One write, so that lines of several threads and processes do not mix. A log that cannot be written is
  // lost.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace virttdx::log
