// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/vhost_user/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "support/byte_order.h"

namespace virttdx {

using namespace vhost_user_spec;

namespace {

// Opening a disk over a network may take its time; a back end that answers nothing for so long is stuck.
constexpr int kPatienceMilliseconds = 60'000;

std::vector<std::byte> message_of(Request request, std::uint32_t flags, std::span<const std::byte> payload) {
  std::vector<std::byte> message(kMessageHeaderSize);
  store_le<std::uint32_t>(message, 0, static_cast<std::uint32_t>(request));
  store_le<std::uint32_t>(message, kMessageFlags, kVersion | flags);
  store_le<std::uint32_t>(message, kMessagePayloadSize, static_cast<std::uint32_t>(payload.size()));
  message.insert(message.end(), payload.begin(), payload.end());
  return message;
}

// Room for the descriptors of one message, aligned as the kernel wants it.
struct alignas(cmsghdr) AncillaryData {
  std::array<char, CMSG_SPACE(sizeof(int) * kRegionsMaximum)> bytes{};
};

void attach(msghdr& header, AncillaryData& room, std::span<const int> fds) {
  header.msg_control = room.bytes.data();
  header.msg_controllen = CMSG_SPACE(fds.size_bytes());
  cmsghdr* const control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(fds.size_bytes());
  std::memcpy(CMSG_DATA(control), fds.data(), fds.size_bytes());
}

}  // namespace

bool has_hung_up(int socket) {
  pollfd ready{socket, POLLRDHUP, 0};
  return ::poll(&ready, 1, 0) > 0;
}

Result<> VhostUserConnection::tell(Request request, std::span<const std::byte> payload,
                                   std::span<const int> fds) {
  return send(request, 0, payload, fds);
}

Result<std::vector<std::byte>> VhostUserConnection::ask(Request request, std::size_t size,
                                                        std::span<const std::byte> payload) {
  TRY(send(request, 0, payload, {}));
  return receive_reply(request, size);
}

Result<> VhostUserConnection::command(Request request, std::span<const std::byte> payload,
                                      std::span<const int> fds) {
  TRY(send(request, kFlagNeedReply, payload, fds));
  const auto reply = TRY(receive_reply(request, sizeof(std::uint64_t)));
  if (const auto answer = load_le<std::uint64_t>(reply, 0); answer != 0)
    return fail(Error::Code::System, "{}: refused vhost-user request {} with {}", name_,
                static_cast<std::uint32_t>(request), answer);
  return {};
}

// A message is far smaller than a socket's buffer: the kernel takes it whole.
Result<> VhostUserConnection::send(Request request, std::uint32_t flags, std::span<const std::byte> payload,
                                   std::span<const int> fds) {
  CHECK(fds.size() <= kRegionsMaximum);
  auto message = message_of(request, flags, payload);
  iovec buffer{message.data(), message.size()};
  AncillaryData room;
  msghdr header{};
  header.msg_iov = &buffer;
  header.msg_iovlen = 1;
  if (!fds.empty()) attach(header, room, fds);
  ssize_t sent = 0;
  while ((sent = ::sendmsg(socket_.get(), &header, MSG_NOSIGNAL)) < 0 && errno == EINTR) continue;
  if (sent == static_cast<ssize_t>(message.size())) return {};
  return fail_errno(sent < 0 ? errno : EPIPE, "{}: cannot send vhost-user request {}", name_,
                    static_cast<std::uint32_t>(request));
}

Result<std::vector<std::byte>> VhostUserConnection::receive_reply(Request request, std::size_t size) {
  std::array<std::byte, kMessageHeaderSize> header{};
  TRY(receive(header));
  const auto flags = load_le<std::uint32_t>(header, kMessageFlags);
  const auto answered = load_le<std::uint32_t>(header, 0);
  const auto length = load_le<std::uint32_t>(header, kMessagePayloadSize);
  if (answered != static_cast<std::uint32_t>(request) || (flags & kVersionMask) != kVersion ||
      (flags & kFlagReply) == 0 || length != size)
    return fail(
        Error::Code::InvalidData,
        "{}: answered vhost-user request {} with message {} of {} bytes, flags {:#x}; {} bytes belong "
        "there",
        name_, static_cast<std::uint32_t>(request), answered, length, flags, size);
  std::vector<std::byte> payload(size);
  TRY(receive(payload));
  return payload;
}

Result<> VhostUserConnection::receive(std::span<std::byte> into) {
  while (!into.empty()) {
    pollfd ready{socket_.get(), POLLIN, 0};
    const int count = ::poll(&ready, 1, kPatienceMilliseconds);
    if (count == 0)
      return fail(Error::Code::TimedOut, "{}: no answer within {} seconds", name_,
                  kPatienceMilliseconds / 1000);
    const ssize_t received = count < 0 ? -1 : ::recv(socket_.get(), into.data(), into.size(), 0);
    if (received < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (received < 0) return fail_errno(errno, "{}: cannot receive from it", name_);
    if (received == 0) return fail(Error::Code::System, "{}: it has ended", name_);
    into = into.subspan(static_cast<std::size_t>(received));
  }
  return {};
}

}  // namespace virttdx
