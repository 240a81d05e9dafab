// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/daemon.h"

#include <grp.h>

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

ClientLimits limits_of(const DaemonConfig& config) {
  ClientLimits limits;
  limits.outstanding_calls = config.max_client_requests;
  limits.keepalive_interval = std::chrono::seconds(config.keepalive_interval);
  limits.keepalive_count = config.keepalive_count;
  return limits;
}

}  // namespace

Daemon::Daemon(const DaemonConfig& config, DomainService& service)
    : config_(config), service_(service), last_used_(std::chrono::steady_clock::now()) {
  service_.on_event([this](const DomainEvent& event) {
    for (const auto& session : sessions_) session->emit(event);
  });
}

Daemon::~Daemon() { service_.on_event(nullptr); }

Result<> Daemon::listen(const Directories& directories) {
  const auto group = TRY(find_group(config_.unix_sock_group));
  socket_ = TRY(Listener::create(directories.socket(), config_.unix_sock_rw_perms, group,
                                 [this](UniqueFd socket) { accept(std::move(socket), false); }));
  read_only_socket_ = TRY(Listener::create(directories.read_only_socket(), config_.unix_sock_ro_perms, group,
                                           [this](UniqueFd socket) { accept(std::move(socket), true); }));
  return {};
}

void Daemon::accept(UniqueFd socket, bool read_only) {
  if (sessions_.size() >= config_.max_clients)
    return log::warning("{} clients are connected already (max_clients); one more is refused",
                        sessions_.size());
  auto client = Client::create(std::move(socket), limits_of(config_));
  const auto session = std::make_shared<Session>(client, read_only, service_);
  sessions_.insert(session);
  const std::weak_ptr<Session> weak = session;
  client->start(
      [weak](const Frame& frame) {
        if (const auto alive = weak.lock()) alive->handle(frame);
      },
      [this, weak] {
        if (const auto alive = weak.lock()) drop(alive);
      });
}

// The session is in use by whoever closed its client: it goes when the event loop is reached.
void Daemon::drop(const std::shared_ptr<Session>& session) {
  sessions_.erase(session);
  last_used_ = std::chrono::steady_clock::now();
  QTimer::singleShot(0, [session] {});
}

void Daemon::end_when_idle(std::chrono::seconds timeout, std::function<void()> idle) {
  QObject::connect(&idle_timer_, &QTimer::timeout, &idle_timer_,
                   [this, timeout, idle = std::move(idle)] { check_idle(timeout, idle); });
  idle_timer_.start(std::chrono::seconds(1));
}

void Daemon::check_idle(std::chrono::seconds timeout, const std::function<void()>& idle) {
  const auto now = std::chrono::steady_clock::now();
  if (!sessions_.empty() || service_.active_count() > 0) last_used_ = now;
  if (now - last_used_ >= timeout) idle();
}

}  // namespace virttdx::driver
