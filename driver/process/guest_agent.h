// SPDX-License-Identifier: GPL-2.0-or-later
// The QEMU guest agent at the other end of a channel (QEMU's docs/interop/qemu-ga-ref), on the event loop.
#pragma once

#include <QSocketNotifier>
#include <QTimer>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "process/deferred_delete.h"
#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx::driver {

/// One command. What the agent sends is a guest's: it is bounded, and read as JSON or not at all.
class GuestAgentCall {
 public:
  /// NotFound: nobody answers on the channel; TimedOut; InvalidData: what came is not the protocol; Internal:
  /// the agent's own error.
  using Handler = std::function<void(Result<nlohmann::json>)>;
  struct Command {
    std::string name;
    nlohmann::json arguments = nlohmann::json::object();
    /// Absent: the answer is waited for as long as the guest runs.
    std::optional<std::chrono::milliseconds> patience = {};
    /// The command answers errors only: it has succeeded when none came within this time, or the guest ended.
    std::optional<std::chrono::milliseconds> silence_is_success = {};
  };

  /// `channel`: a connection to the agent's channel that does not block. `handler` is called once.
  GuestAgentCall(UniqueFd channel, Command command, Handler handler);
  GuestAgentCall(const GuestAgentCall&) = delete;
  GuestAgentCall& operator=(const GuestAgentCall&) = delete;
  /// Ends it without calling `handler`.
  void stop();
  /// The guest has ended: `handler` hears of it, unless it was called before.
  void guest_ended();

 private:
  void send(const nlohmann::json& message);
  void receive();
  void take_lines();
  void take(const nlohmann::json& message);
  void take_answer(const nlohmann::json& message);
  void too_late();
  void finish(Result<nlohmann::json> result);

  UniqueFd channel_;
  Command command_;
  Handler handler_;
  std::int64_t sync_id_ = 0;
  bool synchronized_ = false;
  std::string output_, input_;
  QSocketNotifier readable_;
  QTimer late_;
};

}  // namespace virttdx::driver
