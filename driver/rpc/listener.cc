// SPDX-License-Identifier: GPL-2.0-or-later
#include "rpc/listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <QTimer>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "support/log.h"

namespace virttdx::driver {
namespace {

// Who connects faster than this must not keep those waiting who are connected, or whose end is to be seen.
constexpr int kAcceptedATurn = 16;

Result<sockaddr_un> address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string& text = path.native();
  if (text.size() >= sizeof(address.sun_path))
    return fail(Error::Code::InvalidArgument,
                "socket path '{}' has {} bytes, a Unix socket's may have {}; use a shorter directory", text,
                text.size(), sizeof(address.sun_path) - 1);
  std::memcpy(address.sun_path, text.data(), text.size());
  return address;
}

Result<> set_access(const ListenerAccess& access) {
  const char* path = access.path.c_str();
  if (access.group && chown(path, static_cast<uid_t>(-1), *access.group) != 0)
    return fail_errno(errno, "set group {} of socket '{}'", *access.group, path);
  if (chmod(path, access.mode) != 0)
    return fail_errno(errno, "set mode {:o} of socket '{}'", access.mode, path);
  return {};
}

Result<> listen_on(const UniqueFd& socket, const ListenerAccess& access) {
  if (listen(socket.get(), static_cast<int>(access.queued_maximum)) != 0)
    return fail_errno(errno, "listen on socket '{}'", access.path.native());
  return {};
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::create(const ListenerAccess& access, AcceptHandler accept) {
  const auto& path = access.path;
  const sockaddr_un address = TRY(address_of(path));
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail_errno(errno, "create a socket for '{}'", path.native());
  if (unlink(path.c_str()) != 0 && errno != ENOENT)
    return fail_errno(errno, "remove stale socket '{}'", path.native());
  // Nobody connects between bind and chmod: the socket does not listen yet.
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return fail_errno(errno, "bind socket '{}'", path.native());
  TRY(set_access(access));
  TRY(listen_on(socket, access));
  return std::unique_ptr<Listener>(new Listener(std::move(socket), path, true, std::move(accept)));
}

// Listening once more changes the length of the queue.
Result<std::unique_ptr<Listener>> Listener::adopt(UniqueFd socket, const ListenerAccess& access,
                                                  AcceptHandler accept) {
  TRY(listen_on(socket, access));
  return std::unique_ptr<Listener>(new Listener(std::move(socket), access.path, false, std::move(accept)));
}

Listener::Listener(UniqueFd socket, std::filesystem::path path, bool owns_path, AcceptHandler accept)
    : socket_(std::move(socket)),
      path_(std::move(path)),
      owns_path_(owns_path),
      accept_(std::move(accept)),
      readable_(socket_.get(), QSocketNotifier::Read) {
  QObject::connect(&readable_, &QSocketNotifier::activated, &readable_, [this] { accept_some(); });
}

Listener::~Listener() {
  if (owns_path_) unlink(path_.c_str());
}

void Listener::set_accepting(bool accepting) {
  accepting_ = accepting;
  update();
}

// Who is accepted may be the last one for now.
void Listener::accept_some() {
  for (int accepted = 0; accepting_ && accepted < kAcceptedATurn;) {
    UniqueFd client(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (client) {
      accept_(std::move(client));
      ++accepted;
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno != EAGAIN) pause_after(errno);
    return;
  }
}

// Without descriptors to spare the socket stays readable: trying again at once would only burn the CPU.
void Listener::pause_after(int error) {
  log::error("accept on '{}': {}; trying again in a second", path_.native(), std::strerror(error));
  paused_ = true;
  update();
  QTimer::singleShot(std::chrono::seconds(1), &readable_, [this] {
    paused_ = false;
    update();
  });
}

}  // namespace virttdx::driver
