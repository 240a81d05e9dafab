// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <linux/filter.h>

#include <vector>

#include "support/result.h"

namespace virttdx {

/// A seccomp filter for a storage daemon: it cannot become somebody else, trace or read other processes, load
/// code into the kernel, mount, or use keys; without `needs_network` it has no sockets but Unix ones. Refused
/// calls answer EPERM. Made before fork(2), loaded after it.
Result<std::vector<sock_filter>> storage_daemon_filter(bool needs_network);

}  // namespace virttdx
