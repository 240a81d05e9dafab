// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface_opener.h"

#include "backends/interface_host_side.h"
#include "control/device_config_json.h"
#include "monitor_peer.h"

namespace virttdx {

Result<> open_interface_for_monitor(std::string_view json, const std::filesystem::path& control_socket) {
  const auto parsed = TRY(parse_json(json, kDeviceConfigMaximum));
  auto config = TRY(from_json<NetworkInterfaceConfig>(parsed, ""));
  auto monitor = TRY(join_monitor(control_socket));
  auto side = TRY(open_host_side(config));
  config.device = side.device;
  return give(monitor, control_command::kDeviceAdd, {{"interface", interface_config_to_json(config)}},
              give_away(std::move(side)));
}

}  // namespace virttdx
