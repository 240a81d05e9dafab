// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/qgs_stream.h"

#include <linux/vm_sockets.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace virttdx::qgs {
namespace {

using std::chrono::milliseconds;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

template <typename T>
SocketAddress to_storage(const T& address) {
  SocketAddress result;
  static_assert(sizeof(address) <= sizeof(result.storage));
  std::memcpy(&result.storage, &address, sizeof(address));
  result.size = sizeof(address);
  return result;
}

SocketAddress socket_address(const UnixAddress& address) {
  sockaddr_un result{};
  result.sun_family = AF_UNIX;
  CHECK(address.path.size() < sizeof(result.sun_path));
  std::ranges::copy(address.path, result.sun_path);
  return to_storage(result);
}

SocketAddress socket_address(const VsockAddress& address) {
  sockaddr_vm result{};
  result.svm_family = AF_VSOCK;
  result.svm_cid = address.cid;
  result.svm_port = address.port;
  return to_storage(result);
}

int connect_once(int fd, const SocketAddress& address) {
  // SAFETY: the sockets interface takes every family's address by the generic type.
  const auto* generic = reinterpret_cast<const sockaddr*>(&address.storage);
  return ::connect(fd, generic, address.size) == 0 ? 0 : errno;
}

Result<> finish_connecting(int fd, const Patience& patience) {
  TRY(patience.wait(fd, POLLOUT));
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return fail_errno(error, "cannot connect");
  return {};
}

}  // namespace

Result<> Patience::wait(int fd, short events) const {
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return fail(Error::Code::TimedOut, "no answer in time");
    std::array polled = {pollfd{fd, events, 0}, pollfd{stop_fd, POLLIN, 0}};
    const int ready = poll(polled.data(), polled.size(), static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) return fail_errno(errno, "cannot wait for the socket");
    if (polled[1].revents != 0) return fail(Error::Code::Interrupted, "the TD ends");
    if (polled[0].revents != 0) return {};
  }
}

Result<Stream> Stream::connect(const Address& address, const Patience& patience) {
  const auto target = std::visit([](const auto& known) { return socket_address(known); }, address);
  UniqueFd fd(socket(target.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno(errno, "cannot make a socket");
  while (true) {
    const int error = connect_once(fd.get(), target);
    if (error == 0) return Stream(std::move(fd));
    if (error == EINPROGRESS) {
      TRY(finish_connecting(fd.get(), patience));
      return Stream(std::move(fd));
    }
    if (error != EAGAIN && error != EINTR) return fail_errno(error, "cannot connect");
    // EAGAIN of a Unix socket: the service's queue is full, and nothing tells when it no longer is.
    const auto soon = std::chrono::steady_clock::now() + milliseconds(20);
    const auto waited = Patience{std::min(soon, patience.deadline), patience.stop_fd}.wait(-1, 0);
    if (waited.error().code() != Error::Code::TimedOut || soon >= patience.deadline)
      return tl::unexpected(waited.error());
  }
}

Result<> Stream::send_all(std::span<const std::byte> bytes, const Patience& patience) {
  while (!bytes.empty()) {
    TRY(patience.wait(fd_.get(), POLLOUT));
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
      return fail(Error::Code::NotFound, "the service closed the connection");
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return fail_errno(errno, "cannot send the report");
    if (sent > 0) bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<> Stream::receive_all(std::span<std::byte> bytes, const Patience& patience) {
  bool first = true;
  while (!bytes.empty()) {
    TRY(patience.wait(fd_.get(), POLLIN));
    const ssize_t received = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
    const bool closed = received == 0 || (received < 0 && errno == ECONNRESET);
    if (closed)
      return fail(first ? Error::Code::NotFound : Error::Code::InvalidData,
                  "the service closed the connection {}", first ? "without a reply" : "within its reply");
    if (received < 0 && errno != EAGAIN && errno != EINTR)
      return fail_errno(errno, "cannot receive the quote");
    if (received > 0) bytes = bytes.subspan(static_cast<std::size_t>(received));
    first = first && received <= 0;
  }
  return {};
}

}  // namespace virttdx::qgs
