// SPDX-License-Identifier: GPL-2.0-or-later
// Serial ports, virtio consoles, channels and their controllers. Consoles of target serial are aliases.
#include <bitset>

#include "plan/device_planning.h"

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

void plan_serials(Planning& planning) {
  constexpr auto kPath = "/domain/devices/serial";
  std::bitset<kSerialPorts> used;
  std::uint32_t next = 0;
  for (const auto& serial : planning.domain.devices.serials) {
    const auto refuse = [&](const char* id, std::string message, std::string remedy) {
      planning.error(id, kPath, std::move(message), std::move(remedy)).line = serial.line.number;
    };
    const auto port = serial.target_port.value_or(next);
    next = port + 1;
    if (port >= kSerialPorts) {
      refuse("serial-port", fmt::format("serial port {} does not exist", port), "use ports 0 to 3");
      continue;
    }
    if (used.test(port))
      refuse("serial-port", fmt::format("serial port {} is used twice", port), "use another port");
    used.set(port);
    if (serial.type == "file" && serial.log_file)
      refuse("serial-file-and-log", "a serial port of type 'file' has a <log> too",
             "remove one of the two files");
    if (serial.type != "pty" && serial.type != "file" && serial.type != "null") {
      refuse("serial-type-not-offered", fmt::format("a serial port of type '{}' is not offered", serial.type),
             "use type 'pty', 'file' or 'null'; a <log> writes what a 'pty' shows to a file too");
      continue;
    }
    planning.plan.config.serials.push_back(serial_config(serial, static_cast<std::uint8_t>(port)));
  }
}

std::optional<CharacterBackend> backend_of(const CharacterDevice& device) {
  if (device.type == "null") return CharacterBackend::Null;
  if (device.type == "pty") return CharacterBackend::Pty;
  if (device.type == "file") return CharacterBackend::File;
  if (device.type != "unix") return std::nullopt;
  return device.source_mode == "connect" ? CharacterBackend::UnixConnect : CharacterBackend::UnixListen;
}

void plan_port(Planning& planning, const CharacterDevice& device, bool console) {
  const auto* path = console ? "/domain/devices/console" : "/domain/devices/channel";
  const auto backend = backend_of(device);
  if (!backend) {
    planning
        .error("channel-type-not-offered", path,
               fmt::format("a {} of type '{}' is not offered", console ? "console" : "channel", device.type),
               "use type 'unix', 'pty', 'file' or 'null'")
        .line = device.line.number;
    return;
  }
  ConsolePortConfig config;
  config.id = device.alias.value_or("");
  if (const auto* address = device.address ? std::get_if<VirtioSerialAddress>(&*device.address) : nullptr) {
    config.controller = static_cast<std::uint8_t>(address->controller);
    config.port = address->port.value_or(0);
  }
  config.console = console;
  config.name = device.target_name.value_or("");
  config.backend = *backend;
  config.path = *backend == CharacterBackend::Pty ? std::nullopt : device.source_path;
  config.append = device.append.value_or(false);
  config.log_file = device.log_file;
  config.log_append = device.log_append.value_or(false);
  planning.plan.config.devices.console_ports.push_back(std::move(config));
}

}  // namespace

void plan_devices(Planning& planning) {
  plan_serials(planning);
  plan_controllers(planning);
  plan_disks(planning);
  plan_interfaces(planning);
  const auto& devices = planning.domain.devices;
  for (const auto& console : devices.consoles)
    if (console.target_type == "virtio") plan_port(planning, console, true);
  for (const auto& channel : devices.channels) {
    if (is_spice(channel))
      planning
          .add(Severity::Note, "channel-without-effect", "/domain/devices/channel",
               "a channel of type 'spicevmc' is left out: a TD has no graphics", "remove it")
          .line = channel.line.number;
    else
      plan_port(planning, channel, false);
  }
  plan_small_devices(planning);
  note_ignored_options(planning);
  plan_other_devices(planning);
}

}  // namespace virttdx::domain_xml
