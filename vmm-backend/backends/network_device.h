// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>

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

/// A tap device of the host, made when it is not there and joined to its bridge (both need CAP_NET_ADMIN; a
/// device that exists and belongs to the user needs nothing), or a new macvtap device, which needs
/// CAP_NET_ADMIN and is deleted in the end.
Result<std::unique_ptr<NetworkDevice>> create_tap_device(const NetworkInterfaceConfig& config);
/// User networking: starts passt(1) on one end of a socket pair. It ends when the other end is closed.
Result<std::unique_ptr<NetworkDevice>> create_passt_device(const NetworkInterfaceConfig& config);
/// Ethernet frames on a stream socket, each behind its length in 32 bits, big-endian: passt's and QEMU's
/// `-netdev stream`. Takes the socket.
Result<std::unique_ptr<NetworkDevice>> create_stream_device(const NetworkInterfaceConfig& config, int socket);

/// What the configuration says of a device, without its offloads. Error: a bad MAC address.
Result<NetworkBackendDevice::Properties> network_properties(const NetworkInterfaceConfig& config);

}  // namespace virttdx
