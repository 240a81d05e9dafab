// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/vsock/unix_vsock.h"

#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "backends/unix_socket.h"
#include "backends/vsock/unix_stream.h"
#include "support/log.h"

namespace virttdx {
namespace {

constexpr std::uint32_t kFirstCid = 3;
constexpr int kBacklog = 16;
// Of the sockets beside it, which must be reachable too.
constexpr std::string_view kLongestSuffix = "_4294967295";
constexpr std::string_view kConnect = "CONNECT ";
// "CONNECT 4294967295\n".
constexpr std::size_t kLineMaximum = 32;

Result<sockaddr_un> address_of(const std::string& id, const std::string& path) {
  return unix_address(fmt::format("vsock '{}'", id), path);
}

std::optional<std::uint32_t> port_in(std::string_view line) {
  if (line.size() <= kConnect.size() || ::strncasecmp(line.data(), kConnect.data(), kConnect.size()) != 0)
    return std::nullopt;
  line.remove_prefix(kConnect.size());
  std::uint32_t port = 0;
  const auto* const end = line.data() + line.size();
  const auto read = std::from_chars(line.data(), end, port);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return port;
}

}  // namespace

UnixVsock::UnixVsock(const VsockConfig& config, std::string path)
    : id_(config.id),
      path_(std::move(path)),
      guest_cid_(config.guest_cid == 0 ? kFirstCid : config.guest_cid) {}

Result<std::unique_ptr<UnixVsock>> UnixVsock::create(const VsockConfig& config, const std::string& path) {
  std::unique_ptr<UnixVsock> vsock(new UnixVsock(config, path));
  vsock->worker_ = TRY(Worker::create(config.id));
  TRY(vsock->listen());
  vsock->worker_->start();
  return vsock;
}

// The worker ends as the first member: reset() would take its pointer away before its thread has ended.
UnixVsock::~UnixVsock() {
  if (listener_) ::unlink(path_.c_str());
}

Result<> UnixVsock::listen() {
  TRY(address_of(id_, path_ + std::string(kLongestSuffix)));
  const sockaddr_un address = TRY(address_of(id_, path_));
  UniqueFd listener = stream_socket();
  if (!listener) return fail_errno(errno, "vsock '{}': cannot create a socket", id_);
  const UniqueFd probe = stream_socket();
  if (::connect(probe.get(), generic(address), sizeof address) != 0 && errno == ECONNREFUSED)
    ::unlink(path_.c_str());  // left behind by one that ended
  if (::bind(listener.get(), generic(address), sizeof address) != 0)
    return fail_errno(errno, "vsock '{}': cannot bind '{}'", id_, path_);
  listener_ = std::move(listener);
  if (::listen(listener_.get(), kBacklog) != 0)
    return fail_errno(errno, "vsock '{}': cannot listen on '{}'", id_, path_);
  TRY(worker_->loop().add(listener_.get(), EPOLLIN, [this](std::uint32_t) { take_client(); }));
  return {};
}

void UnixVsock::take_client() {
  UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  // One too many reads the end.
  if (!socket || clients_.size() + waiting_.size() >= kWaitingMaximum) return;
  const auto client = clients_.insert(clients_.end(), {std::move(socket), {}, {}});
  auto watch =
      worker_->loop().add(client->socket.get(), EPOLLIN, [this, client](std::uint32_t) { hear(client); });
  if (!watch) return forget(client);
  client->watch = *watch;
}

// Byte by byte: what stands behind the line is the guest's.
void UnixVsock::hear(std::list<Client>::iterator client) {
  char letter = 0;
  ssize_t count = 0;
  while (client->line.size() < kLineMaximum && (count = ::recv(client->socket.get(), &letter, 1, 0)) == 1 &&
         letter != '\n')
    client->line += letter;
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  const auto port = letter == '\n' ? port_in(client->line) : std::nullopt;
  UniqueFd socket = std::move(client->socket);
  worker_->loop().remove(client->watch);
  clients_.erase(client);
  if (!port) return;
  waiting_.push_back({*port, std::move(socket)});
  worker_->run_task();
}

void UnixVsock::forget(std::list<Client>::iterator client) {
  log::warning("vsock '{}': a client cannot be served", id_);
  clients_.erase(client);
}

std::unique_ptr<VsockStream> UnixVsock::connect(std::uint32_t port) {
  const auto address = address_of(id_, fmt::format("{}_{}", path_, port));
  UniqueFd socket = stream_socket();
  // A listener whose queue is full answers EAGAIN: refused, as a host's TCP would.
  if (!address || !socket || ::connect(socket.get(), generic(*address), sizeof *address) != 0) return nullptr;
  auto stream = UnixStream::create(std::move(socket), *worker_, false);
  return stream ? *std::move(stream) : nullptr;
}

std::optional<VsockBackend::Incoming> UnixVsock::accept() {
  while (!waiting_.empty()) {
    Waiting first = std::move(waiting_.front());
    waiting_.pop_front();
    auto stream = UnixStream::create(std::move(first.socket), *worker_, true);
    // One whose program has gone meanwhile is not worth a request.
    if (stream && !(*stream)->is_gone()) return Incoming{first.guest_port, *std::move(stream)};
  }
  return std::nullopt;
}

}  // namespace virttdx
