// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/interface_host_side.h"

#include <utility>

namespace virttdx {

Result<InterfaceHostSide> open_host_side(const NetworkInterfaceConfig& config) {
  switch (config.backend) {
    case NetworkBackend::Tap:
    case NetworkBackend::Macvtap:
      return open_tap(config);
    case NetworkBackend::Passt:
      break;
  }
  return open_passt(config);
}

std::vector<UniqueFd> give_away(InterfaceHostSide side) {
  auto descriptors = std::move(side.queues);
  if (side.link) descriptors.push_back(side.link->release());
  return descriptors;
}

Result<InterfaceHostSide> take_over(const NetworkInterfaceConfig& config, std::vector<UniqueFd> descriptors) {
  const bool has_link = config.backend == NetworkBackend::Macvtap;
  const std::size_t needed = config.queue_pairs + std::size_t{has_link};
  if (descriptors.size() != needed)
    return fail(Error::Code::InvalidArgument, "interface '{}' came with {} descriptors; it needs {}",
                config.id, descriptors.size(), needed);
  InterfaceHostSide side;
  side.device = config.device;
  if (has_link) {
    side.link.emplace(TRY(MacvtapLink::adopt(std::move(descriptors.back()), config.device)));
    descriptors.pop_back();
  }
  side.queues = std::move(descriptors);
  return side;
}

}  // namespace virttdx
