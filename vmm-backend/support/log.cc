// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/log_sink.h"

#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
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
// So that most messages need no look at the filters themselves.
std::atomic<bool> has_filters{false};
std::atomic<Priority> lowest_of_filters{Priority::Error};
std::mutex filters_mutex;
std::vector<Filter> filters;  // guarded by filters_mutex
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

// Compilers name files as the build does: "../driver/rpc/client.cc".
std::string category_of(std::string_view path) {
  while (path.starts_with("../")) path.remove_prefix(3);
  std::string category(path.substr(0, path.rfind('.')));
  std::ranges::replace(category, '/', '.');
  return category;
}

Priority needed_priority(const char* file) {
  const std::string category = category_of(file);
  const std::lock_guard lock(filters_mutex);
  const auto filter = std::ranges::find_if(filters, [&](const Filter& candidate) {
    return ::fnmatch(fmt::format("*{}*", candidate.match).c_str(), category.c_str(), 0) == 0;
  });
  return filter == filters.end() ? threshold.load() : filter->priority;
}

}  // namespace

void set_threshold(Priority priority) { threshold = priority; }

void set_filters(std::vector<Filter> new_filters) {
  auto lowest = Priority::Error;
  for (const auto& filter : new_filters) lowest = std::min(lowest, filter.priority);
  const std::lock_guard lock(filters_mutex);
  has_filters = !new_filters.empty();
  lowest_of_filters = lowest;
  filters = std::move(new_filters);
}

bool is_wanted(Priority priority, const char* file) {
  if (!has_filters) return priority >= threshold.load();
  if (priority < std::min(threshold.load(), lowest_of_filters.load())) return false;
  return priority >= needed_priority(file);
}

void set_sink(Sink new_sink) {
  const std::lock_guard lock(sink_mutex);
  sink = std::move(new_sink);
}

void write_line(Priority priority, std::string_view text) {
  const std::string shown = on_one_line(text);
  const std::string line = fmt::format("{}: {}: {} : {}\n", timestamp(), getpid(), name_of(priority), shown);
  const std::lock_guard lock(sink_mutex);
  if (sink) return sink(priority, line, shown);
  // One write, so that lines of several threads and processes do not mix. A log that cannot be written is
  // lost.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace virttdx::log
