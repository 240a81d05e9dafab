// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/socket_port.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

#include "backends/unix_socket.h"
#include "support/log.h"

namespace virttdx {
namespace {

// All edges: a side that is not ready is looked at again when it has become so.
constexpr std::uint32_t kClientEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

Result<sockaddr_un> address_of(const std::string& id, const std::string& path) {
  return unix_address(fmt::format("channel '{}'", id), path);
}

}  // namespace

Result<std::unique_ptr<SocketPort>> SocketPort::create(const ConsolePortConfig& config, Worker& worker) {
  std::unique_ptr<SocketPort> port(new SocketPort(config, worker));
  TRY(config.backend == CharacterBackend::UnixListen ? port->listen() : port->connect());
  return port;
}

SocketPort::~SocketPort() {
  if (listener_) ::unlink(path_.c_str());
}

Result<> SocketPort::listen() {
  const sockaddr_un address = TRY(address_of(id_, path_));
  listener_ = stream_socket();
  if (!listener_) return fail_errno(errno, "channel '{}': cannot create a socket", id_);
  const UniqueFd probe = stream_socket();
  if (::connect(probe.get(), generic(address), sizeof address) != 0 && errno == ECONNREFUSED)
    ::unlink(path_.c_str());  // left behind by one that ended
  if (::bind(listener_.get(), generic(address), sizeof address) != 0) {
    const int cause = errno;
    listener_.reset();
    return fail_errno(cause, "channel '{}': cannot bind '{}'", id_, path_);
  }
  if (::listen(listener_.get(), 1) != 0)
    return fail_errno(errno, "channel '{}': cannot listen on '{}'", id_, path_);
  TRY(worker_.loop().add(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept(); }));
  return {};
}

Result<> SocketPort::connect() {
  const sockaddr_un address = TRY(address_of(id_, path_));
  UniqueFd client = stream_socket();
  if (!client || ::connect(client.get(), generic(address), sizeof address) != 0)
    return fail_errno(errno, "channel '{}': cannot connect to '{}'", id_, path_);
  return serve(std::move(client));
}

void SocketPort::accept() {
  UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  // A second one is turned away: it reads end-of-file.
  if (!client || client_) return;
  if (const auto served = serve(std::move(client)); !served) log::warning("{}", served.error().message());
  worker_.run_task();
}

Result<> SocketPort::serve(UniqueFd client) {
  client_watch_ =
      TRY(worker_.loop().add(client.get(), kClientEvents, [this](std::uint32_t) { worker_.run_task(); }));
  client_ = std::move(client);
  return {};
}

void SocketPort::disconnect() {
  worker_.loop().remove(client_watch_);
  client_.reset();
  // The guest learns of it.
  worker_.loop().post([this] { worker_.run_task(); });
}

std::size_t SocketPort::write(std::span<const std::byte> bytes) {
  if (!client_) return bytes.size();
  const ssize_t count = ::send(client_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (count >= 0) return static_cast<std::size_t>(count);
  if (errno == EAGAIN || errno == EINTR) return 0;
  disconnect();
  return bytes.size();
}

std::size_t SocketPort::read(std::span<std::byte> into) {
  if (!client_ || into.empty()) return 0;
  const ssize_t count = ::recv(client_.get(), into.data(), into.size(), 0);
  if (count > 0) return static_cast<std::size_t>(count);
  if (count == 0 || (errno != EAGAIN && errno != EINTR)) disconnect();
  return 0;
}

}  // namespace virttdx
