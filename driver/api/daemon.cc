// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/daemon.h"

#include <grp.h>

#include <QEventLoop>
#include <type_traits>
#include <utility>
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

// The service manager has set the access of its sockets: as their units say, not as virttdxd.conf does.
Result<std::unique_ptr<Listener>> listener(ActivatedSockets& activated, const ListenerAccess& access,
                                           Listener::AcceptHandler accept) {
  if (auto found = activated.extract(access.path))
    return Listener::adopt(std::move(found.mapped()), access, std::move(accept));
  return Listener::create(access, std::move(accept));
}

// unix_sock_dir says where the daemon makes its sockets, not where others have made them.
std::filesystem::path socket_folder(const DaemonConfig& config, const Directories& directories,
                                    const ActivatedSockets& activated) {
  return activated.empty() ? config.unix_sock_dir.value_or(directories.run) : directories.run;
}

// Monitors that do not end are killed before; hooks are not.
constexpr std::chrono::seconds kClosingPatience{30};

// Each server's clients have settings of their own.
struct LimitSettings {
  unsigned DaemonConfig::*requests;
  unsigned DaemonConfig::*keepalive_interval;
  unsigned DaemonConfig::*keepalive_count;
};
constexpr LimitSettings kLimits = {&DaemonConfig::max_client_requests, &DaemonConfig::keepalive_interval,
                                   &DaemonConfig::keepalive_count};
constexpr LimitSettings kAdminLimits = {&DaemonConfig::admin_max_client_requests,
                                        &DaemonConfig::admin_keepalive_interval,
                                        &DaemonConfig::admin_keepalive_count};

ClientLimits limits_of(const DaemonConfig& config, const LimitSettings& settings) {
  ClientLimits limits;
  limits.outstanding_calls = config.*settings.requests;
  limits.keepalive_interval = std::chrono::seconds(config.*settings.keepalive_interval);
  limits.keepalive_count = config.*settings.keepalive_count;
  return limits;
}

}  // namespace

Daemon::Daemon(DaemonConfig config, Directories directories, DomainService& service, SystemBus& bus)
    : config_(std::move(config)),
      directories_(std::move(directories)),
      service_(service),
      polkit_(bus),
      auto_destroy_(service),
      context_{service_,     config_,       directories_,
               polkit_,      auto_destroy_, host_name_,
               image_sizes_, image_reader_, [this] { clients_.authenticated(); }},
      clients_("virttdxd", config_.max_clients, config_.max_anonymous_clients),
      admin_clients_("admin", config_.admin_max_clients, 0),
      servers_{&clients_, &admin_clients_},
      admin_context_{servers_, [this](std::chrono::seconds timeout) { set_idle_timeout(timeout); }},
      last_used_(std::chrono::steady_clock::now()) {
  clients_.on_change([this] { update_accepting(); });
  admin_clients_.on_change([this] { admin_socket_->set_accepting(admin_clients_.may_add()); });
  QObject::connect(&idle_timer_, &QTimer::timeout, &idle_timer_, [this] { check_idle(); });
  service_.on_event([this](const DomainEvent& event) {
    for (auto* session : std::vector(sessions_.begin(), sessions_.end()))
      if (sessions_.contains(session)) session->emit(event);
  });
}

Daemon::~Daemon() { service_.on_event(nullptr); }

Result<> Daemon::listen(ActivatedSockets activated) {
  const auto group = TRY(find_group(config_.unix_sock_group));
  const auto folder = socket_folder(config_, directories_, activated);
  const auto access = [&](const std::filesystem::path& path, mode_t mode) {
    return ListenerAccess{folder / path.filename(), mode, group, config_.max_queued_clients};
  };
  socket_ = TRY(listener(activated, access(directories_.socket(), read_write_mode(config_)),
                         [this](UniqueFd socket) { accept(std::move(socket), false); }));
  read_only_socket_ =
      TRY(listener(activated, access(directories_.read_only_socket(), config_.unix_sock_ro_perms),
                   [this](UniqueFd socket) { accept(std::move(socket), true); }));
  auto admin = access(directories_.admin_socket(), config_.unix_sock_admin_perms);
  admin.group.reset();
  admin.queued_maximum = config_.admin_max_queued_clients;
  admin_socket_ =
      TRY(listener(activated, admin, [this](UniqueFd socket) { accept_admin(std::move(socket)); }));
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
                  if constexpr (std::is_same_v<S, Session>) {
                    sessions_.erase(ended.get());
                    auto_destroy_.connection_closed(ended->client());
                  }
                  kept_.erase(ended);
                  last_used_ = std::chrono::steady_clock::now();
                  QTimer::singleShot(0, [ended] {});
                });
}

void Daemon::accept(UniqueFd socket, bool read_only) {
  auto peer = peer_of(socket.get());
  if (!peer) return log::warning("{}; the client is refused", peer.error().message());
  auto client = Client::create(std::move(socket), limits_of(config_, kLimits));
  const auto session = std::make_shared<Session>(client, *peer, read_only, context_);
  sessions_.insert(session.get());
  serve(session, client, clients_, read_only, *std::move(peer));
}

void Daemon::accept_admin(UniqueFd socket) {
  auto peer = peer_of(socket.get());
  if (!peer) return log::warning("{}; the client is refused", peer.error().message());
  auto client = Client::create(std::move(socket), limits_of(config_, kAdminLimits));
  const auto session = std::make_shared<AdminSession>(client, admin_context_);
  serve(session, client, admin_clients_, false, *std::move(peer));
}

// libvirt's: nobody is sent away, whoever is one too many waits in the socket's queue until another leaves or
// has authenticated.
void Daemon::update_accepting() {
  const bool accepting = clients_.may_add();
  socket_->set_accepting(accepting);
  read_only_socket_->set_accepting(accepting);
  if (std::exchange(accepting_, accepting) == accepting) return;
  if (accepting) return log::info("clients are accepted again");
  log::warning(
      "Temporarily suspending services: {} of {} clients are connected (max_clients), {} of {} have not "
      "authenticated yet (max_anonymous_clients); who connects now waits",
      clients_.all().size(), clients_.maximum(), clients_.anonymous_count(), clients_.anonymous_maximum());
}

void Daemon::close_connections() {
  for (auto* session : std::vector(sessions_.begin(), sessions_.end()))
    if (sessions_.contains(session)) session->client().close();
  if (!auto_destroy_.busy()) return;
  QEventLoop loop;
  auto_destroy_.on_idle([&loop] { loop.quit(); });
  QTimer::singleShot(kClosingPatience, &loop, [&loop] {
    log::warning("a domain that ends with its connection does not end");
    loop.quit();
  });
  loop.exec();
  auto_destroy_.on_idle(nullptr);
}

void Daemon::set_idle_timeout(std::chrono::seconds timeout) {
  idle_timeout_ = timeout;
  last_used_ = std::chrono::steady_clock::now();
  if (timeout.count() == 0) return idle_timer_.stop();
  idle_timer_.start(std::chrono::seconds(1));
}

void Daemon::check_idle() {
  const auto now = std::chrono::steady_clock::now();
  const bool is_used =
      !clients_.all().empty() || !admin_clients_.all().empty() || service_.active_count() > 0;
  if (is_used) last_used_ = now;
  if (now - last_used_ >= idle_timeout_ && idle_) idle_();
}

}  // namespace virttdx::driver
