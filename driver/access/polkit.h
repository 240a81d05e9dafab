// SPDX-License-Identifier: GPL-2.0-or-later
// polkit's authority (org.freedesktop.PolicyKit1 on the system bus), asked without waiting.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "process/system_bus.h"
#include "rpc/peer.h"
#include "support/result.h"

namespace virttdx::driver {

struct PolkitQuestion {
  std::string action;
  std::vector<std::pair<std::string, std::string>> details;
  bool may_ask_user = false;  ///< an agent of the subject's session may ask for a password
  std::chrono::seconds patience{20};
};

enum class PolkitVerdict {
  Allowed,
  Denied,
  Dismissed,  ///< whoever was asked for a password did not give it
  NoAgent,    ///< a password would do, but there is nobody to ask for it
};

/// Used on the event loop's thread only.
class Polkit {
 public:
  using Handler = std::function<void(Result<PolkitVerdict>)>;

  explicit Polkit(SystemBus& bus) : bus_(bus) {}

  /// `handler` is called once, from the event loop. Errors: NotFound (the process has ended), TimedOut,
  /// System (no bus, no polkit, an action that polkit does not know): libvirt's "error from service".
  void ask(const Peer& subject, const PolkitQuestion& question, Handler handler);

 private:
  SystemBus& bus_;
};

}  // namespace virttdx::driver
