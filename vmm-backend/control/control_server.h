// SPDX-License-Identifier: GPL-2.0-or-later
// The monitor's end of the control socket (docs/control-protocol.md).
#pragma once

#include <chrono>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>

#include "control/control_commands.h"
#include "control/control_handler.h"
#include "control/event_loop.h"

namespace virttdx {

inline constexpr std::size_t kControlClientsMaximum = 16;
/// A client that leaves more than this unread is disconnected.
inline constexpr std::size_t kControlUnsentMaximum = 4 << 20;

/// Serves clients of the same user and root. All functions on the loop's thread.
class ControlServer {
 public:
  /// Listens at `path` (mode 0600). A socket that nobody listens at any more is replaced. `loop` and
  /// `handler` outlive the server. Errors: AlreadyExists (a monitor answers there), those of bind(2).
  static Result<std::unique_ptr<ControlServer>> create(EventLoop& loop, const std::filesystem::path& path,
                                                       ControlHandler& handler);
  /// Closes all connections and removes the socket.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// To every client.
  void broadcast(const MonitorEvent& event);
  /// Sends what waits, for the last moments of a monitor: at most `timeout`.
  void flush(std::chrono::milliseconds timeout);
  std::size_t client_count() const { return clients_.size(); }

 private:
  struct Client {
    UniqueFd socket;
    EventLoop::Watch watch;
    std::string input;
    std::vector<UniqueFd> descriptors;  // came with it
    std::deque<OutgoingLine> output;
    std::size_t sent = 0;    // of output's first line
    std::size_t unsent = 0;  // bytes in output
    bool ending = false;     // reads no more; closed when its output is sent
    bool dead = false;
  };
  ControlServer(EventLoop& loop, std::filesystem::path path, ControlHandler& handler)
      : loop_(loop), path_(std::move(path)), handler_(handler) {}
  Result<> listen();
  void on_listener_event();
  void welcome(UniqueFd socket);
  void on_client_event(std::uint64_t number, std::uint32_t events);
  void read_from(Client& client);
  void run_lines(Client& client);
  void refuse(Client& client, std::string message);
  void queue(Client& client, OutgoingLine line);
  void send_to(Client& client);
  void settle(std::uint64_t number);
  void settle_all();

  EventLoop& loop_;
  std::filesystem::path path_;
  ControlHandler& handler_;
  UniqueFd listener_;
  EventLoop::Watch listener_watch_;
  std::uint64_t next_number_ = 1;
  std::map<std::uint64_t, Client> clients_;
};

}  // namespace virttdx
