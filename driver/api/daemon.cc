// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/daemon.h"

#include <grp.h>

#include <type_traits>
#include <vector>

#include "support/log.h"

namespace virttdx::driver {
namespace {

Result<std::optional<gid_t>> find_group(const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  const group* found = getgrnam(name->c_str());
  if (found == nullptr)
    return fail(Error::Code::NotFound,
                "unix_sock_group: no group '{}' on this system; create it or remove the line", *name);
  return found->gr_gid;
}

struct SocketAccess {
  std::filesystem::path path;
  mode_t mode;
  std::optional<gid_t> group;
};

// The service manager has set the access of its sockets: as their units say, not as virttdxd.conf does.
Result<std::unique_ptr<Listener>> listener(ActivatedSockets& activated, const SocketAccess& access,
                                           Listener::AcceptHandler accept) {
  if (auto found = activated.extract(access.path))
    return Listener::adopt(std::move(found.mapped()), access.path, std::move(accept));
  return Listener::create(access.path, access.mode, access.group, std::move(accept));
}

ClientLimits limits_of(const DaemonConfig& config) {
  ClientLimits limits;
  limits.outstanding_calls = config.max_client_requests;
  limits.keepalive_interval = std::chrono::seconds(config.keepalive_interval);
  limits.keepalive_count = config.keepalive_count;
  return limits;
}

}  // namespace

Daemon::Daemon(DaemonConfig config, Directories directories, DomainService& service, SystemBus& bus)
    : config_(std::move(config)),
      directories_(std::move(directories)),
      service_(service),
      polkit_(bus),
      context_{service_, config_, directories_, polkit_},
      clients_("virttdxd", config_.max_clients, config_.max_anonymous_clients),
      admin_clients_("admin", config_.admin_max_clients, config_.admin_max_clients),
      servers_{&clients_, &admin_clients_},
      last_used_(std::chrono::steady_clock::now()) {
  service_.on_event([this](const DomainEvent& event) {
    for (auto* session : std::vector(sessions_.begin(), sessions_.end()))
      if (sessions_.contains(session)) session->emit(event);
  });
}

Daemon::~Daemon() { service_.on_event(nullptr); }

Result<> Daemon::listen(ActivatedSockets activated) {
  const auto group = TRY(find_group(config_.unix_sock_group));
  socket_ = TRY(listener(activated, {directories_.socket(), read_write_mode(config_), group},
                         [this](UniqueFd socket) { accept(std::move(socket), false); }));
  read_only_socket_ =
      TRY(listener(activated, {directories_.read_only_socket(), config_.unix_sock_ro_perms, group},
                   [this](UniqueFd socket) { accept(std::move(socket), true); }));
  admin_socket_ =
      TRY(listener(activated, {directories_.admin_socket(), config_.unix_sock_admin_perms, std::nullopt},
                   [this](UniqueFd socket) { accept_admin(std::move(socket)); }));
  for (const auto& [path, socket] : activated)
    log::warning("the service manager listens on '{}', which is no socket of virttdxd; it is closed",
                 path.native());
  return {};
}

// Keeps the session for as long as its client is connected. Whoever closes the client may be using the
// session: it goes when the event loop is reached.
template <typename S>
void Daemon::serve(const std::shared_ptr<S>& session, const std::shared_ptr<Client>& client,
                   ServerClients& server, bool read_only, Peer peer) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto id = server.add({.connected_at = std::chrono::duration_cast<std::chrono::seconds>(now).count(),
                              .read_only = read_only,
                              .peer = std::move(peer),
                              .client = client});
  if constexpr (std::is_same_v<S, Session>)
    server.watch_authentication(id, [weak = std::weak_ptr<S>(session)] {
      const auto connected = weak.lock();
      return connected && connected->must_authenticate();
    });
  kept_.insert(session);
  client->start([alone = session.get()](const Frame& frame) { alone->handle(frame); },
                [this, weak = std::weak_ptr<S>(session), &server, id] {
                  const auto ended = weak.lock();
                  server.remove(id);
                  if constexpr (std::is_same_v<S, Session>) sessions_.erase(ended.get());
                  kept_.erase(ended);
                  last_used_ = std::chrono::steady_clock::now();
                  QTimer::singleShot(0, [ended] {});
                });
}

void Daemon::accept(UniqueFd socket, bool read_only) {
  if (clients_.full())
    return log::warning("{} clients are connected already (max_clients); one more is refused",
                        clients_.all().size());
  if (clients_.anonymous_count() >= clients_.anonymous_maximum())
    return log::warning("{} clients authenticate at this time (max_anonymous_clients); one more is refused",
                        clients_.anonymous_count());
  auto peer = peer_of(socket.get());
  if (!peer) return log::warning("{}; the client is refused", peer.error().message());
  auto client = Client::create(std::move(socket), limits_of(config_));
  const auto session = std::make_shared<Session>(client, *peer, read_only, context_);
  sessions_.insert(session.get());
  serve(session, client, clients_, read_only, *std::move(peer));
}

void Daemon::accept_admin(UniqueFd socket) {
  if (admin_clients_.full())
    return log::warning("{} admin clients are connected already (admin_max_clients); one more is refused",
                        admin_clients_.all().size());
  auto peer = peer_of(socket.get());
  if (!peer) return log::warning("{}; the client is refused", peer.error().message());
  auto limits = limits_of(config_);
  limits.outstanding_calls = config_.admin_max_client_requests;
  auto client = Client::create(std::move(socket), limits);
  const auto session = std::make_shared<AdminSession>(client, servers_);
  serve(session, client, admin_clients_, false, *std::move(peer));
}

void Daemon::end_when_idle(std::chrono::seconds timeout, std::function<void()> idle) {
  QObject::connect(&idle_timer_, &QTimer::timeout, &idle_timer_,
                   [this, timeout, idle = std::move(idle)] { check_idle(timeout, idle); });
  idle_timer_.start(std::chrono::seconds(1));
}

void Daemon::check_idle(std::chrono::seconds timeout, const std::function<void()>& idle) {
  const auto now = std::chrono::steady_clock::now();
  if (!clients_.all().empty() || service_.active_count() > 0) last_used_ = now;
  if (now - last_used_ >= timeout) idle();
}

}  // namespace virttdx::driver
