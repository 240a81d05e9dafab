// SPDX-License-Identifier: GPL-2.0-or-later
// Clients are outsiders as far as their bytes go: whatever one sends or leaves unread costs that one its
// connection, never the TD or another client.
#include "control/control_server.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "control/control_wire.h"
#include "control/descriptor_passing.h"
#include "support/log.h"

namespace virttdx {
namespace {

using Clock = std::chrono::steady_clock;

// Commands read in one go before others get their turn.
constexpr std::size_t kReadSize = 64 << 10;

const sockaddr* generic(const sockaddr_un& address) {
  // SAFETY: sockaddr_un is how AF_UNIX reads a sockaddr.
  return reinterpret_cast<const sockaddr*>(&address);
}

// A socket file outlives a killed monitor. Only one that nobody answers at may be replaced.
Result<> remove_stale(const sockaddr_un& address) {
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(probe.get(), generic(address), sizeof address) == 0 || errno == EAGAIN)
    return fail(Error::Code::AlreadyExists, "another monitor serves '{}'", address.sun_path);
  if (errno == ECONNREFUSED && ::unlink(address.sun_path) != 0)
    return fail_errno(errno, "cannot remove the stale socket '{}'", address.sun_path);
  return {};
}

bool is_trusted(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  if (peer.uid == ::geteuid() || peer.uid == 0) return true;
  log::warning("control client of user {} refused", peer.uid);
  return false;
}

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::create(EventLoop& loop,
                                                             const std::filesystem::path& path,
                                                             ControlHandler& handler) {
  std::unique_ptr<ControlServer> server(new ControlServer(loop, path, handler));
  TRY(server->listen());
  return server;
}

ControlServer::~ControlServer() {
  for (auto& [number, client] : clients_) loop_.remove(client.watch);
  if (!listener_) return;
  loop_.remove(listener_watch_);
  ::unlink(path_.c_str());
}

Result<> ControlServer::listen() {
  const auto address = TRY(control_wire::socket_address(path_));
  TRY(remove_stale(address));
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail_errno(errno, "cannot create the control socket");
  // Before bind(), which makes the file with the socket's mode: it never stands open to others.
  if (::fchmod(socket.get(), 0600) != 0) return fail_errno(errno, "cannot set the control socket's mode");
  if (::bind(socket.get(), generic(address), sizeof address) != 0 ||
      ::listen(socket.get(), kControlClientsMaximum) != 0)
    return fail_errno(errno, "cannot listen at '{}'", path_.string());
  listener_watch_ = TRY(loop_.add(socket.get(), EPOLLIN, [this](std::uint32_t) { on_listener_event(); }));
  listener_ = std::move(socket);
  return {};
}

void ControlServer::on_listener_event() {
  UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket || !is_trusted(socket.get())) return;
  if (clients_.size() >= kControlClientsMaximum) {
    log::warning("control client refused: {} are connected already", clients_.size());
    return;
  }
  welcome(std::move(socket));
}

void ControlServer::welcome(UniqueFd socket) {
  const auto number = next_number_++;
  auto watch = loop_.add(socket.get(), EPOLLIN,
                         [this, number](std::uint32_t events) { on_client_event(number, events); });
  if (!watch) {
    log::warning("control client refused: {}", watch.error().message());
    return;
  }
  auto& client = clients_[number];
  client.socket = std::move(socket);
  client.watch = *watch;
  queue(client, {control_wire::greeting_line(), {}});
  settle(number);
}

void ControlServer::on_client_event(std::uint64_t number, std::uint32_t events) {
  auto& client = clients_.at(number);
  if ((events & EPOLLIN) != 0 && !client.ending) read_from(client);
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) client.dead = true;
  settle(number);
}

void ControlServer::read_from(Client& client) {
  std::array<char, kReadSize> buffer;
  const ssize_t count = receive_with_descriptors(client.socket.get(), buffer, client.descriptors);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count < 0) client.dead = true;
  if (count == 0) client.ending = true;
  if (count <= 0) return;
  client.input.append(buffer.data(), static_cast<std::size_t>(count));
  run_lines(client);
  if (client.input.size() > kControlMessageMaximum)
    refuse(client, fmt::format("a line has more than {} bytes", kControlMessageMaximum));
  else if (client.descriptors.size() > kDescriptorsMaximum)
    refuse(client, fmt::format("{} descriptors came that no command wants", client.descriptors.size()));
}

void ControlServer::refuse(Client& client, std::string message) {
  client.ending = true;
  queue(client, {control_wire::error_line(0, Error(Error::Code::InvalidData, std::move(message))), {}});
}

void ControlServer::run_lines(Client& client) {
  std::size_t start = 0;
  while (!client.dead) {
    const auto end = client.input.find('\n', start);
    if (end == std::string::npos) break;
    const auto line = std::string_view(client.input).substr(start, end - start);
    queue(client, run_command_line(line, client.descriptors, handler_));
    start = end + 1;
  }
  client.input.erase(0, start);
}

void ControlServer::queue(Client& client, OutgoingLine line) {
  if (client.unsent + line.text.size() > kControlUnsentMaximum) {
    log::warning("control client dropped: it leaves {} bytes unread", client.unsent);
    client.dead = true;
    return;
  }
  client.unsent += line.text.size();
  client.output.push_back(std::move(line));
  send_to(client);
}

void ControlServer::send_to(Client& client) {
  while (!client.output.empty() && !client.dead) {
    auto& line = client.output.front();
    const auto rest = std::string_view(line.text).substr(client.sent);
    const ssize_t count = send_with_descriptors(client.socket.get(), rest, line.descriptors);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) {
      client.dead = true;
      return;
    }
    line.descriptors.clear();  // they went with the first byte
    client.sent += static_cast<std::size_t>(count);
    client.unsent -= static_cast<std::size_t>(count);
    if (client.sent < line.text.size()) continue;
    client.output.pop_front();
    client.sent = 0;
  }
}

// After every event: sends, waits for what the client still needs, or lets it go.
void ControlServer::settle(std::uint64_t number) {
  auto& client = clients_.at(number);
  send_to(client);
  if (client.dead || (client.ending && client.output.empty())) {
    loop_.remove(client.watch);
    clients_.erase(number);
    return;
  }
  const std::uint32_t reading = client.ending ? 0U : static_cast<std::uint32_t>(EPOLLIN);
  const std::uint32_t writing = client.output.empty() ? 0U : static_cast<std::uint32_t>(EPOLLOUT);
  loop_.change(client.watch, reading | writing);
}

void ControlServer::settle_all() {
  for (auto next = clients_.begin(); next != clients_.end();) {
    const auto number = next->first;
    ++next;  // settle() may erase its client
    settle(number);
  }
}

void ControlServer::broadcast(const MonitorEvent& event) {
  for (auto& [number, client] : clients_) queue(client, {control_wire::event_line(event), {}});
  // A handler may broadcast while one of its client's lines runs: that client is settled after its event.
  loop_.post([this] { settle_all(); });
}

void ControlServer::flush(std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  const auto waiting = [this] {
    return std::any_of(clients_.begin(), clients_.end(),
                       [](const auto& entry) { return entry.second.unsent > 0; });
  };
  settle_all();
  while (waiting() && Clock::now() < deadline) loop_.run_once(std::chrono::milliseconds(10));
}

}  // namespace virttdx
