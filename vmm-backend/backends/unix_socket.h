// SPDX-License-Identifier: GPL-2.0-or-later
// Stream sockets at paths, for back ends that listen there or connect (unix(7)).
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <string>
#include <string_view>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx {

/// InvalidArgument, with what `owner` is ("channel 'console1'"): the path is empty or too long for a socket.
inline Result<sockaddr_un> unix_address(std::string_view owner, std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return fail(Error::Code::InvalidArgument, "{}: '{}' is not a path of 1 to {} bytes", owner, path,
                sizeof address.sun_path - 1);
  path.copy(address.sun_path, path.size());
  return address;
}

/// Does not block; empty with errno.
inline UniqueFd stream_socket() {
  return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

// SAFETY: the socket functions take every address by this type.
inline const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace virttdx
