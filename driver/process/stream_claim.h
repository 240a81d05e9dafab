// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>

namespace virttdx::driver {

/// Held by whoever has the one stream to a channel of a running domain.
struct StreamClaim {
  std::function<void()> revoke;  ///< ends the stream; empty once it has ended
};

}  // namespace virttdx::driver
