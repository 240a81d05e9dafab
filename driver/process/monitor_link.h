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
  /// it has not come for so long as the link is patient. A reply after that is dropped.
  void send(std::string_view command, const nlohmann::json& arguments, ReplyHandler handler);
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

  ControlClient client_;
  EventHandler event_;
  ClosedHandler closed_;
  struct Pending {
    std::string command;
    ReplyHandler handler;
    std::chrono::steady_clock::time_point since;
  };
  std::chrono::milliseconds patience_;
  std::map<std::uint64_t, Pending> pending_;  ///< in the order they were sent
  std::uint64_t first_expected_ = 0;          ///< replies to older commands came too late
  QTimer late_;
  QSocketNotifier readable_;
  bool stopped_ = false;
};

}  // namespace virttdx::driver
