// SPDX-License-Identifier: GPL-2.0-or-later
// Who is at the other end of a Unix socket.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx::driver {

struct Peer {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
  std::uint64_t process_start = 0;  ///< /proc/PID/stat field 22; 0: it has gone
  std::string user, group;          ///< names; empty: none on this system
};

/// As the kernel recorded it when the peer connected (SO_PEERCRED).
Result<Peer> peer_of(int socket);

/// Connects to a Unix socket without waiting. NotFound: nobody listens there.
Result<UniqueFd> connect_unix(const std::string& path);

}  // namespace virttdx::driver
