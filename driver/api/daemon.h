// SPDX-License-Identifier: GPL-2.0-or-later
// The sockets, the clients on them, and when the daemon has nothing left to do.
#pragma once

#include <QTimer>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "api/session.h"
#include "config/daemon_config.h"
#include "config/directories.h"
#include "domain/domain_service.h"
#include "rpc/listener.h"

namespace virttdx::driver {

class Daemon {
 public:
  /// `service` must outlive it.
  Daemon(const DaemonConfig& config, DomainService& service);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon();

  Result<> listen(const Directories& directories);
  /// Calls `idle` when there was neither client nor running domain for `timeout`.
  void end_when_idle(std::chrono::seconds timeout, std::function<void()> idle);

 private:
  void accept(UniqueFd socket, bool read_only);
  void drop(const std::shared_ptr<Session>& session);
  void check_idle(std::chrono::seconds timeout, const std::function<void()>& idle);

  const DaemonConfig config_;
  DomainService& service_;
  std::unique_ptr<Listener> socket_, read_only_socket_;
  std::set<std::shared_ptr<Session>> sessions_;
  QTimer idle_timer_;
  std::chrono::steady_clock::time_point last_used_;
};

}  // namespace virttdx::driver
