// SPDX-License-Identifier: GPL-2.0-or-later
// One line a message to standard error, in libvirt's form: "2026-11-21 07:15:00.123+0000: 4711: info : text".
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace virttdx::log {

/// libvirt's priorities (log_filters in libvirtd.conf).
enum class Priority { Debug = 1, Info = 2, Warning = 3, Error = 4 };

/// Messages below it are dropped. Default Info. Any thread.
void set_threshold(Priority priority);

/// Writes one line; line breaks and control characters inside `text` are escaped. Any thread.
void write(Priority priority, std::string_view text);

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  write(Priority::Debug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Priority::Info, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Priority::Warning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Priority::Error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace virttdx::log
