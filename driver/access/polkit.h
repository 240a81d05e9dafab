// SPDX-License-Identifier: GPL-2.0-or-later
// polkit's authority (org.freedesktop.PolicyKit1 on the system bus), asked without waiting.
#pragma once

#include <QSocketNotifier>
#include <QTimer>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "process/deferred_delete.h"
#include "rpc/peer.h"
#include "support/result.h"

struct sd_bus;
struct sd_bus_message;

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

/// Used on the event loop's thread only. Connects at the first question, and again after the bus went away.
class Polkit {
 public:
  using Handler = std::function<void(Result<PolkitVerdict>)>;

  Polkit() = default;
  Polkit(const Polkit&) = delete;
  Polkit& operator=(const Polkit&) = delete;
  ~Polkit();

  /// `handler` is called once, from the event loop. Errors: NotFound (the process has ended), TimedOut,
  /// System (no bus, no polkit, an action that polkit does not know): libvirt's "error from service".
  void ask(const Peer& subject, const PolkitQuestion& question, Handler handler);

 private:
  struct Call {
    Polkit* polkit;
    std::string action;
    Handler handler;
  };
  struct Notifiers {
    QSocketNotifier readable, writable;
    QTimer timeout;
    explicit Notifiers(int fd) : readable(fd, QSocketNotifier::Read), writable(fd, QSocketNotifier::Write) {}
    void stop();
  };

  Result<> connect();
  Result<> send(const Peer& subject, const PolkitQuestion& question, Call& call);
  static int answered(sd_bus_message* message, void* call);
  void finish(Call& call, Result<PolkitVerdict> verdict);
  void process();
  void wait();
  void disconnect(const std::string& reason);

  sd_bus* bus_ = nullptr;
  DeferredDelete<Notifiers> notifiers_;
  std::list<Call> calls_;
};

}  // namespace virttdx::driver
