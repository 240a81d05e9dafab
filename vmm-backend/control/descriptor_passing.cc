// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/descriptor_passing.h"

#include <sys/socket.h>

#include <array>
#include <cstring>

namespace virttdx {
namespace {

struct ControlBuffer {
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(kDescriptorsMaximum * sizeof(int))> bytes{};
};

void keep_descriptors(msghdr& header, std::vector<UniqueFd>& kept) {
  for (auto* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      kept.emplace_back(fd);
    }
  }
}

}  // namespace

ssize_t send_with_descriptors(int socket, std::string_view bytes, std::span<const UniqueFd> descriptors) {
  iovec data{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  ControlBuffer control;
  if (!descriptors.empty()) {
    header.msg_control = control.bytes.data();
    header.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
    auto* const part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
      const int fd = descriptors[i].get();
      std::memcpy(CMSG_DATA(part) + i * sizeof(int), &fd, sizeof fd);
    }
  }
  return ::sendmsg(socket, &header, MSG_NOSIGNAL);
}

ssize_t receive_with_descriptors(int socket, std::span<char> into, std::vector<UniqueFd>& descriptors) {
  ControlBuffer control;
  iovec data{into.data(), into.size()};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes.data();
  header.msg_controllen = control.bytes.size();
  const ssize_t count = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  if (count > 0) keep_descriptors(header, descriptors);
  return count;
}

}  // namespace virttdx
