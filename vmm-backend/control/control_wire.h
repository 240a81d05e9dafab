// SPDX-License-Identifier: GPL-2.0-or-later
// The lines of the control protocol (docs/control-protocol.md), as both of its ends build and read them.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "support/result.h"
#include "vmm_backend/control_client.h"

namespace virttdx::control_wire {

/// What a client asks.
struct Command {
  std::uint64_t id = 0;
  std::string name;
  nlohmann::json arguments = nlohmann::json::object();
  unsigned descriptors = 0;  ///< that come with it
};

/// Lines, each with its '\n'.
std::string greeting_line();
std::string command_line(const Command& command);
std::string result_line(std::uint64_t id, const nlohmann::json& result, unsigned descriptors = 0);
std::string error_line(std::uint64_t id, const Error& error);
std::string event_line(const MonitorEvent& event);

/// A line without its '\n'.
Result<> check_greeting(std::string_view line);
Result<Command> parse_command(std::string_view line);

/// A reply (without its descriptor) or an event.
struct Incoming {
  bool is_event = false;
  MonitorEvent event;
  std::uint64_t id = 0;
  Result<nlohmann::json> result;
  bool has_descriptor = false;
};
Result<Incoming> parse_incoming(std::string_view line);

/// A Unix socket's address. Error InvalidArgument: longer than the 107 bytes that the kernel takes.
Result<sockaddr_un> socket_address(const std::filesystem::path& path);

}  // namespace virttdx::control_wire
