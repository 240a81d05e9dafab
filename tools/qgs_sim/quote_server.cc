// SPDX-License-Identifier: GPL-2.0-or-later
#include "qgs_sim/quote_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <QTimer>
#include <algorithm>
#include <array>
#include <cerrno>

#include "vmm_backend/qgs_address.h"
#include "vmm_backend/qgs_message.h"

namespace virttdx::tools {
namespace {

constexpr std::size_t kMaximumClients = 64;
// A request is 1052 bytes; what is much longer is none.
constexpr std::size_t kMaximumMessage = 64 << 10;

Result<sockaddr_un> socket_address(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto checked = TRY(qgs::parse_address(std::filesystem::absolute(path).native()));
  std::ranges::copy(std::get<qgs::UnixAddress>(checked).path, address.sun_path);
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  // SAFETY: the sockets interface takes every family's address by the generic type.
  return reinterpret_cast<const sockaddr*>(&address);
}

/// A socket file that its server left behind is removed.
Result<> make_room(const std::filesystem::path& path, const sockaddr_un& address) {
  const UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(probe.get(), generic(address), sizeof(address)) == 0)
    return fail(Error::Code::AlreadyExists, "another service listens at '{}'", path.native());
  if (errno == ECONNREFUSED) ::unlink(path.c_str());
  return {};
}

Result<UniqueFd> listen_at(const std::filesystem::path& path) {
  const auto address = TRY(socket_address(path));
  TRY(make_room(path, address));
  UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener || ::bind(listener.get(), generic(address), sizeof(address)) != 0 ||
      ::chmod(path.c_str(), 0666) != 0 || ::listen(listener.get(), SOMAXCONN) != 0)
    return fail_errno(errno, "cannot listen at '{}'", path.native());
  return listener;
}

}  // namespace

Result<std::unique_ptr<QuoteServer>> QuoteServer::create(const std::filesystem::path& path,
                                                         std::chrono::milliseconds delay, Answer answer) {
  auto listener = TRY(listen_at(path));
  return std::unique_ptr<QuoteServer>(new QuoteServer(path, std::move(listener), delay, std::move(answer)));
}

QuoteServer::QuoteServer(std::filesystem::path path, UniqueFd listener, std::chrono::milliseconds delay,
                         Answer answer)
    : path_(std::move(path)),
      listener_(std::move(listener)),
      notifier_(listener_.get(), QSocketNotifier::Read),
      delay_(delay),
      answer_(std::move(answer)) {
  connect(&notifier_, &QSocketNotifier::activated, this, [this] { accept_client(); });
}

QuoteServer::~QuoteServer() { ::unlink(path_.c_str()); }

void QuoteServer::accept_client() {
  UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd || clients_.size() >= kMaximumClients) return;
  const int id = next_id_++;
  auto notifier = std::make_unique<QSocketNotifier>(fd.get(), QSocketNotifier::Read);
  connect(notifier.get(), &QSocketNotifier::activated, this, [this, id] { read_client(id); });
  clients_[id] = {std::move(fd), std::move(notifier), {}};
}

void QuoteServer::read_client(int id) {
  auto& client = clients_.at(id);
  std::array<std::byte, 4096> chunk{};
  const ssize_t count = ::recv(client.fd.get(), chunk.data(), chunk.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return drop(id);
  client.received.insert(client.received.end(), chunk.begin(), chunk.begin() + count);
  if (!answer_requests(id, client)) drop(id);
}

bool QuoteServer::answer_requests(int id, Client& client) {
  while (client.received.size() >= qgs::kPrefixSize) {
    const std::span received(client.received);
    const std::size_t size = qgs::size_of_prefix(received.first<qgs::kPrefixSize>());
    if (size > kMaximumMessage) return false;
    if (received.size() < qgs::kPrefixSize + size) return true;
    const auto reply = answer_(received.subspan(qgs::kPrefixSize, size));
    QTimer::singleShot(delay_, this, [this, id, reply] { send_answer(id, reply); });
    client.received.erase(client.received.begin(),
                          client.received.begin() + static_cast<std::ptrdiff_t>(qgs::kPrefixSize + size));
  }
  return true;
}

// An answer is small against a socket's buffer: a client that does not take it is no client.
void QuoteServer::send_answer(int id, const Bytes& bytes) {
  const auto client = clients_.find(id);
  if (client == clients_.end()) return;
  const ssize_t sent = ::send(client->second.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(bytes.size())) drop(id);
}

void QuoteServer::drop(int id) {
  // Not within its own notifier's signal; but before its descriptor is closed.
  auto* const notifier = clients_.at(id).notifier.release();
  notifier->setEnabled(false);
  notifier->deleteLater();
  clients_.erase(id);
}

}  // namespace virttdx::tools
