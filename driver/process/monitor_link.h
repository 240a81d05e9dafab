// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's end of one monitor's control socket, on the event loop.
#pragma once

#include <QSocketNotifier>
#include <QTimer>
#include <chrono>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "process/deferred_delete.h"
#include "vmm_backend/control_client.h"

namespace virttdx::driver {

class MonitorLink {
 public:
  using ReplyHandler = std::function<void(ControlReply)>;
  using EventHandler = std::function<void(const MonitorEvent&)>;
  using ClosedHandler = std::function<void()>;

  /// Handlers are called from the event loop. After `closed` nothing is called any more.
  MonitorLink(ControlClient client, std::chrono::milliseconds patience, EventHandler event,
              ClosedHandler closed);

  /// `handler` gets the reply, or an error: WrongState when the connection ends before it came, TimedOut when
  /// it has not come for so long as the link is patient. It is kept, but not called again, until the late
  /// reply has come; until then every other command fails at once, so that few wait for a monitor that is
  /// stuck.
  void send(std::string_view command, const nlohmann::json& arguments, ReplyHandler handler);
  /// Sends "stop", late replies or not. Nobody waits for its reply.
  void send_stop();
  /// Ends the connection without calling `closed`; replies still owed become errors.
  void stop();
  /// How long the oldest command has waited for its reply; nothing when none does.
  std::optional<std::chrono::milliseconds> oldest_wait() const;
  /// False once the connection has ended, which `closed` is told after replies still owed became errors.
  bool connected() const { return !stopped_; }

 private:
  void receive();
  void deliver(ControlMessage message);
  void fail_pending();
  void fail_late();
  void watch_late();
  Error stuck() const;
  bool is_stuck() const { return !pending_.empty() && pending_.begin()->second.is_late; }

  ControlClient client_;
  EventHandler event_;
  ClosedHandler closed_;
  struct Pending {
    std::string command;
    ReplyHandler handler;
    std::chrono::steady_clock::time_point since;
    bool is_late = false;  ///< and its handler was told so
  };
  std::chrono::milliseconds patience_;
  std::map<std::uint64_t, Pending> pending_;  ///< in the order they were sent
  QTimer late_;
  QSocketNotifier readable_;
  bool stopped_ = false;
};

}  // namespace virttdx::driver
