// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's end of one monitor's control socket, on the event loop.
#pragma once

#include <QSocketNotifier>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "process/deferred_delete.h"
#include "vmm_backend/control_client.h"

namespace virttdx::driver {

class MonitorLink {
 public:
  using ReplyHandler = std::function<void(ControlReply)>;
  using EventHandler = std::function<void(const MonitorEvent&)>;
  using ClosedHandler = std::function<void()>;

  /// Handlers are called from the event loop. After `closed` nothing is called any more.
  MonitorLink(ControlClient client, EventHandler event, ClosedHandler closed);

  /// `handler` gets the reply, or an error when the connection ends before it came.
  void send(std::string_view command, const nlohmann::json& arguments, ReplyHandler handler);
  /// Ends the connection without calling `closed`; replies still owed become errors.
  void stop();
  /// False once the connection has ended, which `closed` is told after replies still owed became errors.
  bool connected() const { return !stopped_; }

 private:
  void receive();
  void deliver(ControlMessage message);
  void fail_pending();

  ControlClient client_;
  EventHandler event_;
  ClosedHandler closed_;
  std::map<std::uint64_t, ReplyHandler> pending_;
  QSocketNotifier readable_;
  bool stopped_ = false;
};

}  // namespace virttdx::driver
