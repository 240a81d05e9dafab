// SPDX-License-Identifier: GPL-2.0-or-later
// Descriptors beside the bytes of a Unix socket (SCM_RIGHTS, unix(7)).
#pragma once

#include <sys/types.h>

#include <span>
#include <string_view>
#include <vector>

#include "support/unique_fd.h"

namespace virttdx {

/// In one message: SCM_MAX_FD of the kernel.
inline constexpr std::size_t kDescriptorsMaximum = 253;

/// As send(2) with MSG_NOSIGNAL. The descriptors, at most kDescriptorsMaximum, go with the first byte.
ssize_t send_with_descriptors(int socket, std::string_view bytes, std::span<const UniqueFd> descriptors);
/// As recv(2); what came with the bytes is appended to `descriptors`.
ssize_t receive_with_descriptors(int socket, std::span<char> into, std::vector<UniqueFd>& descriptors);

}  // namespace virttdx
