// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "backends/vhost_user/vhost_user_spec.h"
#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx {

/// Whether the other end of a connection is gone. Any thread.
bool has_hung_up(int socket);

/// The front-end's end of a vhost-user socket: messages out, replies in. The back end may send anything. One
/// thread at a time, but for socket().
class VhostUserConnection {
 public:
  using Request = vhost_user_spec::Request;
  /// `name`: of the back end, for messages.
  VhostUserConnection(UniqueFd socket, std::string name)
      : socket_(std::move(socket)), name_(std::move(name)) {}

  /// Sends a message that has no reply. `fds` go with it.
  Result<> tell(Request request, std::span<const std::byte> payload = {}, std::span<const int> fds = {});
  /// Sends a message and waits for the reply, whose payload has `size` bytes: InvalidData when it has not, or
  /// is the reply to something else; TimedOut when the back end keeps silent.
  Result<std::vector<std::byte>> ask(Request request, std::size_t size,
                                     std::span<const std::byte> payload = {});
  /// tell(), and waits until the back end has done it (VHOST_USER_PROTOCOL_F_REPLY_ACK).
  Result<> command(Request request, std::span<const std::byte> payload, std::span<const int> fds = {});

  /// Hangs up when the back end is gone. Any thread, always the same.
  int socket() const { return socket_.get(); }

 private:
  Result<> send(Request request, std::uint32_t flags, std::span<const std::byte> payload,
                std::span<const int> fds);
  Result<std::vector<std::byte>> receive_reply(Request request, std::size_t size);
  Result<> receive(std::span<std::byte> into);

  UniqueFd socket_;
  const std::string name_;
};

}  // namespace virttdx
