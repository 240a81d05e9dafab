// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace virttdx {

/// A queue as a vhost back end is told of it, in the kernel or in another process. The descriptors are the
/// owner's.
struct VhostQueue {
  std::uint16_t size = 0;
  std::span<const std::byte> descriptors, available, used;
  int kick = -1;  ///< eventfd: there are requests
  int call = -1;  ///< eventfd: requests are done
};

}  // namespace virttdx
