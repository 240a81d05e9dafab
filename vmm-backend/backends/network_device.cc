// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/network_device.h"

#include <cstdio>

#include "backends/network_features.h"

namespace virttdx {

Result<NetworkBackendDevice::Properties> network_properties(const NetworkInterfaceConfig& config) {
  NetworkBackendDevice::Properties properties;
  std::array<unsigned, 6> mac{};
  int length = 0;
  const int fields = std::sscanf(config.mac.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x%n", &mac[0], &mac[1], &mac[2],
                                 &mac[3], &mac[4], &mac[5], &length);
  if (fields != 6 || static_cast<std::size_t>(length) != config.mac.size())
    return fail(Error::Code::InvalidArgument, "interface '{}': '{}' is not a MAC address", config.id,
                config.mac);
  for (std::size_t i = 0; i < mac.size(); ++i) properties.mac.at(i) = static_cast<std::byte>(mac.at(i));
  properties.mtu = config.mtu;
  properties.withheld = withheld_features(config.without);
  properties.event_index = config.event_index;
  properties.receive_queue_size = config.rx_queue_size;
  properties.transmit_queue_size = config.tx_queue_size;
  return properties;
}

Result<std::unique_ptr<NetworkDevice>> open_network_device(const NetworkInterfaceConfig& config) {
  return create_network_device(config, TRY(open_host_side(config)));
}

Result<std::unique_ptr<NetworkDevice>> create_network_device(const NetworkInterfaceConfig& config,
                                                             InterfaceHostSide side) {
  if (config.backend == NetworkBackend::Passt)
    return create_stream_device(config, side.queues.front().release());
  return create_tap_device(config, std::move(side));
}

}  // namespace virttdx
