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
  /// The socket of clients that may change something. Not before listen().
  const std::filesystem::path& socket() const { return socket_->path(); }
  /// `idle` is called when there was neither client nor running domain for as long as set_idle_timeout()
  /// says.
  void on_idle(std::function<void()> idle) { idle_ = std::move(idle); }
  /// 0: never, as before the first call.
  void set_idle_timeout(std::chrono::seconds timeout);
  /// Closes the connections and returns when the domains that end with them have, or take too long to; the
  /// event loop turns meanwhile.
  void close_connections();

 private:
  void accept(UniqueFd socket, bool read_only);
  void accept_admin(UniqueFd socket);
  template <typename S>
  void serve(const std::shared_ptr<S>& session, const std::shared_ptr<Client>& client, ServerClients& server,
             bool read_only, Peer peer);
  void update_accepting();
  void check_idle();

  const DaemonConfig config_;
  const Directories directories_;
  DomainService& service_;
  Polkit polkit_;
  AutoDestroy auto_destroy_;
  HostName host_name_;
  ImageSizes image_sizes_;
  ImageReader image_reader_;
  const DaemonContext context_;
  ServerClients clients_, admin_clients_;
  const std::array<ServerClients*, 2> servers_;
  const AdminContext admin_context_;
  std::unique_ptr<Listener> socket_, read_only_socket_, admin_socket_;
  std::set<std::shared_ptr<void>> kept_;  ///< sessions of connected clients
  std::set<Session*> sessions_;           ///< those of them that get events
  bool accepting_ = true;                 ///< on the sockets of `clients_`
  QTimer idle_timer_;
  std::chrono::seconds idle_timeout_{0};
  std::function<void()> idle_;
  std::chrono::steady_clock::time_point last_used_;
};

}  // namespace virttdx::driver
