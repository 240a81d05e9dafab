// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/service_manager.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

namespace virttdx::driver {
namespace {

Result<std::filesystem::path> path_of(int socket) {
  if (sd_is_socket_unix(socket, SOCK_STREAM, 1, nullptr, 0) <= 0)
    return fail(Error::Code::InvalidArgument,
                "descriptor {} from the service manager is not a listening Unix stream socket; look at the "
                "socket units",
                socket);
  sockaddr_un address{};
  socklen_t length = sizeof(address);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    return fail_errno(errno, "getsockname of descriptor {}", socket);
  const std::size_t offset = offsetof(sockaddr_un, sun_path);
  const std::size_t bytes = length > offset ? length - offset : 0;
  const std::string path(address.sun_path, strnlen(address.sun_path, bytes));
  if (path.empty())
    return fail(Error::Code::InvalidArgument, "descriptor {} from the service manager has no path", socket);
  return path;
}

}  // namespace

Result<ActivatedSockets> take_activated_sockets() {
  const int count = sd_listen_fds(1);
  if (count < 0) return fail_errno(-count, "take sockets from the service manager");
  ActivatedSockets sockets;
  for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; ++fd) {
    UniqueFd socket(fd);
    auto path = TRY(path_of(fd));
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
      return fail_errno(errno, "set O_NONBLOCK of '{}'", path.native());
    sockets.emplace(std::move(path), std::move(socket));
  }
  return sockets;
}

void notify_ready() { sd_notify(0, "READY=1"); }

void notify_stopping() { sd_notify(0, "STOPPING=1"); }

}  // namespace virttdx::driver
