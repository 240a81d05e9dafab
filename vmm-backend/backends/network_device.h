// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>

#include "backends/interface_host_side.h"
#include "devices/virtio_net/network_backend.h"
#include "support/result.h"
#include "vmm_backend/device_config.h"
#include "vmm_backend/device_statistics.h"

namespace virttdx {

/// A network back end with its statistics.
class NetworkDevice : public NetworkBackendDevice {
 public:
  virtual InterfaceStatistics statistics() const = 0;
};

/// Of any kind, with its host side opened here.
Result<std::unique_ptr<NetworkDevice>> open_network_device(const NetworkInterfaceConfig& config);
/// On a host side that is open.
Result<std::unique_ptr<NetworkDevice>> create_network_device(const NetworkInterfaceConfig& config,
                                                             InterfaceHostSide side);
/// Tap or Macvtap.
Result<std::unique_ptr<NetworkDevice>> create_tap_device(const NetworkInterfaceConfig& config,
                                                         InterfaceHostSide side);
/// Ethernet frames on a stream socket, each behind its length in 32 bits, big-endian: passt's and QEMU's
/// `-netdev stream`. Takes the socket.
Result<std::unique_ptr<NetworkDevice>> create_stream_device(const NetworkInterfaceConfig& config, int socket);

/// What the configuration says of a device, without its offloads. Error: a bad MAC address.
Result<NetworkBackendDevice::Properties> network_properties(const NetworkInterfaceConfig& config);

}  // namespace virttdx
