// SPDX-License-Identifier: GPL-2.0-or-later
// The client half of a monitor's control socket, for the driver and the tools.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "support/result.h"
#include "support/unique_fd.h"
#include "vmm_backend/monitor_messages.h"

namespace virttdx {

/// The answer to one command. `fd` is set by console-attach only.
struct ControlReply {
  std::uint64_t id = 0;
  Result<nlohmann::json> result;
  UniqueFd fd;
};

using ControlMessage = std::variant<ControlReply, MonitorEvent>;

/// One connection. Not thread-safe. Never blocks except in call() and connect() (bounded).
class ControlClient {
 public:
  /// Connects and reads the monitor's greeting (at most `timeout`). Errors: NotFound (no socket), System
  /// (ECONNREFUSED: nobody listens), TimedOut, InvalidData (another protocol version).
  static Result<ControlClient> connect(const std::filesystem::path& socket,
                                       std::chrono::milliseconds timeout);

  /// Begins to connect and never waits. Errors: NotFound, System, Busy (the monitor accepts nobody now).
  /// Usable once greeted() has said so.
  static Result<ControlClient> begin(const std::filesystem::path& socket);
  /// Whether the greeting has come. Errors: WrongState (closed), InvalidData (another protocol version).
  Result<bool> greeted();

  /// For poll or a socket notifier: readable means receive() has work.
  int fd() const { return socket_.get(); }

  /// Queues a command, with the descriptors that it needs, and sends as much as the socket takes (commands
  /// are small). Returns the id its reply will carry.
  Result<std::uint64_t> send(std::string_view command,
                             const nlohmann::json& arguments = nlohmann::json::object(),
                             std::vector<UniqueFd> descriptors = {});

  /// Everything that has arrived, in order; empty when nothing has. An error when the monitor closed the
  /// connection (Code::WrongState) or sent what is not the protocol (Code::InvalidData).
  Result<std::vector<ControlMessage>> receive();

  /// Sends a command and waits for its reply; events that arrive meanwhile are kept for receive().
  Result<ControlReply> call(std::string_view command, const nlohmann::json& arguments,
                            std::chrono::milliseconds timeout, std::vector<UniqueFd> descriptors = {});

 private:
  struct Line {
    std::string text;
    std::vector<UniqueFd> descriptors;
  };
  explicit ControlClient(UniqueFd socket) : socket_(std::move(socket)) {}
  Result<ControlReply> wait_for_reply(std::uint64_t id, std::chrono::steady_clock::time_point deadline,
                                      std::vector<ControlMessage>& others);
  Result<> wait_readable(std::chrono::steady_clock::time_point deadline) const;
  Result<> send_available();
  Result<> read_available();
  std::optional<std::string> take_line();
  Result<std::vector<ControlMessage>> parse_lines();

  UniqueFd socket_;
  std::uint64_t next_id_ = 1;
  bool closed_ = false;
  std::deque<Line> output_;
  std::size_t unsent_ = 0;  ///< bytes in output_
  std::string input_;
  std::vector<UniqueFd> received_fds_;
  std::vector<ControlMessage> kept_;
};

}  // namespace virttdx
