// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/log_outputs.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "config/log_words.h"
#include "rpc/peer.h"
#include "support/log_sink.h"
#include "support/unique_fd.h"

namespace virttdx::driver {
namespace {

struct DestinationRow {
  LogDestination destination;
  std::string_view name;
  bool has_target;
};
constexpr std::array kDestinations = {DestinationRow{LogDestination::Stderr, "stderr", false},
                                      DestinationRow{LogDestination::File, "file", true},
                                      DestinationRow{LogDestination::Syslog, "syslog", true},
                                      DestinationRow{LogDestination::Journald, "journald", false}};

constexpr int syslog_priority(log::Priority priority) {
  constexpr std::array kPriorities = {LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERR};
  return kPriorities.at(static_cast<std::size_t>(priority) - 1);
}

Result<LogOutput> parse_output(std::string_view text) {
  const auto refuse = [&] {
    return fail(Error::Code::InvalidArgument,
                "log output '{}' is not LEVEL:stderr, LEVEL:file:/PATH, LEVEL:syslog:NAME or LEVEL:journald",
                text);
  };
  LogOutput output;
  const auto level = parse_log_level(text);
  if (!level) return refuse();
  output.priority = *level;
  const std::string_view rest = text.substr(kLogLevelSize);
  const std::string_view name = rest.substr(0, rest.find(':'));
  const auto row = std::find_if(kDestinations.begin(), kDestinations.end(),
                                [&](const auto& candidate) { return candidate.name == name; });
  if (row == kDestinations.end() || row->has_target != (name.size() < rest.size())) return refuse();
  output.destination = row->destination;
  if (row->has_target) output.target = rest.substr(name.size() + 1);
  if (row->has_target && output.target.empty()) return refuse();
  if (output.destination == LogDestination::File && output.target.front() != '/') return refuse();
  return output;
}

struct OpenOutput {
  LogOutput output;
  UniqueFd fd;
};

// Journald takes a datagram of NAME=VALUE lines (systemd's journal native protocol).
void send_to_journal(int socket, log::Priority priority, std::string_view text) {
  const std::string message =
      fmt::format("PRIORITY={}\nSYSLOG_IDENTIFIER=virttdxd\nMESSAGE={}\n", syslog_priority(priority), text);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
  [[maybe_unused]] const auto sent =
      sendto(socket, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

void write_to(const OpenOutput& open, log::Priority priority, std::string_view line, std::string_view text) {
  if (priority < open.output.priority) return;
  if (open.output.destination == LogDestination::Syslog)
    return syslog(LOG_DAEMON | syslog_priority(priority), "%.*s", static_cast<int>(text.size()), text.data());
  if (open.output.destination == LogDestination::Journald)
    return send_to_journal(open.fd.get(), priority, text);
  const int fd = open.output.destination == LogDestination::File ? open.fd.get() : STDERR_FILENO;
  [[maybe_unused]] const auto written = ::write(fd, line.data(), line.size());
}

Result<UniqueFd> open_output(const LogOutput& output) {
  if (output.destination == LogDestination::File) {
    UniqueFd fd(open(output.target.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!fd) return fail_errno(errno, "open log file '{}'", output.target);
    return fd;
  }
  if (output.destination == LogDestination::Journald) {
    UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd) return fail_errno(errno, "create a socket for the journal");
    return fd;
  }
  return UniqueFd();
}

// Of the process, as its standard error is.
std::vector<LogOutput>& current() {
  static std::vector<LogOutput> outputs = {LogOutput{}};
  return outputs;
}
LogOutput& default_output() {
  static LogOutput output;
  return output;
}

}  // namespace

Result<std::vector<LogOutput>> parse_log_outputs(std::string_view text) {
  return parse_log_words<LogOutput>(text, parse_output);
}

std::string format_log_outputs(const std::vector<LogOutput>& outputs) {
  std::string text;
  for (const auto& output : outputs) {
    const auto& row = kDestinations.at(static_cast<std::size_t>(output.destination));
    text += fmt::format("{}{}:{}{}{}", text.empty() ? "" : " ", static_cast<int>(output.priority), row.name,
                        row.has_target ? ":" : "", output.target);
  }
  return text;
}

Result<> use_log_outputs(std::vector<LogOutput> outputs) {
  if (outputs.empty()) outputs.push_back(default_output());
  const auto opened = std::make_shared<std::vector<OpenOutput>>();
  for (const auto& output : outputs) {
    auto file = TRY(open_output(output));
    opened->push_back({output, std::move(file)});
    // The name must live as long as syslog() is used.
    static std::string identity;
    if (output.destination == LogDestination::Syslog)
      openlog((identity = output.target).c_str(), LOG_PID, LOG_DAEMON);
  }
  log::set_sink([opened](log::Priority priority, std::string_view line, std::string_view text) {
    for (const auto& open : *opened) write_to(open, priority, line, text);
  });
  current() = std::move(outputs);
  return {};
}

std::vector<LogOutput> current_log_outputs() { return current(); }
void set_default_log_output(LogOutput output) { default_output() = std::move(output); }

}  // namespace virttdx::driver
