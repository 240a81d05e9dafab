// SPDX-License-Identifier: GPL-2.0-or-later
// Who a call is made for, as libvirt's daemons tell one another (virConnectSetIdentity).
#pragma once

#include <string>

#include "rpc/peer.h"

namespace virttdx::driver {

/// The arguments of the call, encoded.
std::string identity_arguments(const Peer& peer);

}  // namespace virttdx::driver
