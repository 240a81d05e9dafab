// SPDX-License-Identifier: GPL-2.0-or-later
// The sockets, the clients on them, and when the daemon has nothing left to do.
#pragma once

#include <QTimer>
#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "access/polkit.h"
#include "admin/admin_session.h"
#include "api/session.h"
#include "config/daemon_config.h"
#include "config/directories.h"
#include "config/service_manager.h"
#include "domain/domain_service.h"
#include "rpc/listener.h"

namespace virttdx::driver {

class Daemon {
 public:
  /// `service` and `bus` must outlive it.
  Daemon(DaemonConfig config, Directories directories, DomainService& service, SystemBus& bus);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon();

  /// On those of its sockets that are among `activated`, and on new ones for the others.
  Result<> listen(ActivatedSockets activated);
  /// Calls `idle` when there was neither client nor running domain for `timeout`.
  void end_when_idle(std::chrono::seconds timeout, std::function<void()> idle);

 private:
  void accept(UniqueFd socket, bool read_only);
  void accept_admin(UniqueFd socket);
  template <typename S>
  void serve(const std::shared_ptr<S>& session, const std::shared_ptr<Client>& client, ServerClients& server,
             bool read_only, Peer peer);
  void check_idle(std::chrono::seconds timeout, const std::function<void()>& idle);

  const DaemonConfig config_;
  const Directories directories_;
  DomainService& service_;
  Polkit polkit_;
  const DaemonContext context_;
  ServerClients clients_, admin_clients_;
  const std::array<ServerClients*, 2> servers_;
  std::unique_ptr<Listener> socket_, read_only_socket_, admin_socket_;
  std::set<std::shared_ptr<void>> kept_;  ///< sessions of connected clients
  std::set<Session*> sessions_;           ///< those of them that get events
  QTimer idle_timer_;
  std::chrono::steady_clock::time_point last_used_;
};

}  // namespace virttdx::driver
