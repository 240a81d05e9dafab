// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "backends/vhost_kernel/vhost_offload.h"

namespace virttdx {

/// A pair of queues of an interface whose packets the kernel moves to and from a tap or macvtap device.
/// `tap`: outlives it. Errors: VhostDevice::open().
Result<std::unique_ptr<VhostOffload>> create_vhost_net(const std::string& name, int tap);

}  // namespace virttdx
