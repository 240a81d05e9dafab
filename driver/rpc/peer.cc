// SPDX-License-Identifier: GPL-2.0-or-later
#include "rpc/peer.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "process/process_stat.h"

namespace virttdx::driver {

Result<Peer> peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return fail_errno(errno, "ask who the client is");
  Peer peer;
  peer.uid = credentials.uid;
  peer.gid = credentials.gid;
  peer.pid = credentials.pid;
  if (const auto stat = read_process_stat(peer.pid)) peer.process_start = stat->start_time;
  if (const passwd* user = getpwuid(peer.uid)) peer.user = user->pw_name;
  if (const ::group* group = getgrgid(peer.gid)) peer.group = group->gr_name;
  return peer;
}

Result<UniqueFd> connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path))
    return fail(Error::Code::InvalidArgument, "socket path '{}' is longer than {} bytes", path,
                sizeof(address.sun_path) - 1);
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail_errno(errno, "create a socket for '{}'", path);
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return socket;
  if (errno == ENOENT || errno == ECONNREFUSED)
    return fail(Error::Code::NotFound, "nobody listens on '{}'", path);
  return fail_errno(errno, "connect to '{}'", path);
}

}  // namespace virttdx::driver
