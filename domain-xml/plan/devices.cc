// SPDX-License-Identifier: GPL-2.0-or-later
// Serial ports. Consoles are their aliases, inert devices have no part in the plan.
#include <bitset>

#include "plan/planning.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::uint32_t kSerialPorts = 4;

SerialConfig serial_config(const CharacterDevice& device, std::uint8_t port) {
  SerialConfig config;
  config.port = port;
  config.pty = device.type == "pty";
  config.log_file = device.log_file;
  config.log_append = device.log_append.value_or(false);
  if (device.type == "file") {
    config.log_file = device.source_path;
    config.log_append = device.append.value_or(false);
  }
  return config;
}

}  // namespace

void plan_devices(Planning& planning) {
  constexpr auto kPath = "/domain/devices/serial";
  std::bitset<kSerialPorts> used;
  std::uint32_t next = 0;
  for (const auto& serial : planning.domain.devices.serials) {
    const auto port = serial.target_port.value_or(next);
    next = port + 1;
    if (port >= kSerialPorts) {
      planning
          .error("serial-port", kPath, fmt::format("serial port {} does not exist", port), "use ports 0 to 3")
          .line = serial.line;
      continue;
    }
    if (used.test(port))
      planning
          .error("serial-port", kPath, fmt::format("serial port {} is used twice", port), "use another port")
          .line = serial.line;
    used.set(port);
    if (serial.type == "file" && serial.log_file)
      planning
          .error("serial-file-and-log", kPath, "a serial port of type 'file' has a <log> too",
                 "remove one of the two files")
          .line = serial.line;
    planning.plan.config.serials.push_back(serial_config(serial, static_cast<std::uint8_t>(port)));
  }
}

}  // namespace virttdx::domain_xml
