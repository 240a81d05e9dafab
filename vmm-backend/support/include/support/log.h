// SPDX-License-Identifier: GPL-2.0-or-later
// One line a message to standard error, in libvirt's form: "2026-11-21 07:15:00.123+0000: 4711: info : text".
//
// A message's category is the source file that writes it, as "driver.rpc.client" for driver/rpc/client.cc;
// filters name parts of it.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace virttdx::log {

/// libvirt's priorities (log_filters in libvirtd.conf).
enum class Priority { Debug = 1, Info = 2, Warning = 3, Error = 4 };

/// For the messages of categories that have `match` somewhere, a glob of fnmatch(3), in place of the
/// threshold.
struct Filter {
  Priority priority = Priority::Info;
  std::string match{};
  bool operator==(const Filter&) const = default;
};

/// Messages below it are dropped. Default Info. Any thread.
void set_threshold(Priority priority);

/// The first that matches holds, as in libvirt. Default none. Any thread.
void set_filters(std::vector<Filter> filters);

/// Whether threshold and filters let a message of the source file through. Any thread.
bool is_wanted(Priority priority, const char* file);

/// Writes one line, wanted or not; line breaks and control characters inside `text` are escaped. Any thread.
void write_line(Priority priority, std::string_view text);

/// For a priority that is known only now.
inline void write(Priority priority, std::string_view text, const char* file = __builtin_FILE()) {
  if (is_wanted(priority, file)) write_line(priority, text);
}

/// A format string, checked while it is compiled, and the file of the call (clang 14 has no
/// std::source_location).
template <typename... Args>
struct Message {
  template <std::convertible_to<fmt::string_view> Text>
  // NOLINTNEXTLINE(google-explicit-constructor): calls give a literal
  consteval Message(const Text& text, const char* from = __builtin_FILE()) : format(text), file(from) {}
  fmt::format_string<Args...> format;
  const char* file;
};

template <typename... Args>
void write_formatted(Priority priority, const Message<Args...>& message, Args&&... args) {
  if (is_wanted(priority, message.file))
    write_line(priority, fmt::format(message.format, std::forward<Args>(args)...));
}

template <typename... Args>
void debug(Message<std::type_identity_t<Args>...> message, Args&&... args) {
  write_formatted<Args...>(Priority::Debug, message, std::forward<Args>(args)...);
}
template <typename... Args>
void info(Message<std::type_identity_t<Args>...> message, Args&&... args) {
  write_formatted<Args...>(Priority::Info, message, std::forward<Args>(args)...);
}
template <typename... Args>
void warning(Message<std::type_identity_t<Args>...> message, Args&&... args) {
  write_formatted<Args...>(Priority::Warning, message, std::forward<Args>(args)...);
}
template <typename... Args>
void error(Message<std::type_identity_t<Args>...> message, Args&&... args) {
  write_formatted<Args...>(Priority::Error, message, std::forward<Args>(args)...);
}

}  // namespace virttdx::log
