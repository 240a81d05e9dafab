// SPDX-License-Identifier: GPL-2.0-or-later
// What an interface has of the host, open: a process with privileges can open it for a monitor that is
// confined.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "support/macvtap_link.h"
#include "support/result.h"
#include "support/unique_fd.h"
#include "vmm_backend/device_config.h"

namespace virttdx {

struct InterfaceHostSide {
  std::string device;               ///< Tap, Macvtap: as the kernel has named it
  std::vector<UniqueFd> queues;     ///< Tap, Macvtap: one a pair. Passt: its socket
  std::optional<MacvtapLink> link;  ///< Macvtap
};

/// A tap device, made when it is not there and joined to its bridge (both need CAP_NET_ADMIN; a device that
/// exists and belongs to the user needs nothing); or a new macvtap device, which needs CAP_NET_ADMIN; or
/// passt(1), started here, which ends when its socket is closed. Errors name the interface and the remedy.
Result<InterfaceHostSide> open_host_side(const NetworkInterfaceConfig& config);
Result<InterfaceHostSide> open_tap(const NetworkInterfaceConfig& config);
Result<InterfaceHostSide> open_passt(const NetworkInterfaceConfig& config);

/// What the other process is sent, besides a configuration whose `device` is `side.device`.
std::vector<UniqueFd> give_away(InterfaceHostSide side);
/// What it makes of that. InvalidArgument: not as many descriptors as the configuration needs.
Result<InterfaceHostSide> take_over(const NetworkInterfaceConfig& config, std::vector<UniqueFd> descriptors);

}  // namespace virttdx
