// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain/live_devices.h"

#include <algorithm>

namespace virttdx::driver {
namespace {

using domain_xml::CharacterDevice;

void take_path(CharacterDevice& device, const std::string& path) {
  if (device.type == "pty" && !path.empty()) device.source_path = path;
}

void describe_serial(CharacterDevice& device, const MonitorStatus& status) {
  for (const auto& serial : status.serials)
    if (device.target_port.value_or(0) == serial.port) take_path(device, serial.pty_path);
}

void describe_port(CharacterDevice& device, const MonitorStatus& status) {
  const auto port = std::ranges::find(status.console_ports, device.alias, &ConsolePortStatus::id);
  if (port != status.console_ports.end()) take_path(device, port->pty_path);
}

}  // namespace

void describe_live_devices(domain_xml::Domain& domain, const MonitorStatus& status) {
  auto& devices = domain.devices;
  for (auto& serial : devices.serials) describe_serial(serial, status);
  for (auto& console : devices.consoles) {
    if (console.target_type == "virtio")
      describe_port(console, status);
    else if (!devices.serials.empty())
      take_path(console, devices.serials.front().source_path.value_or(""));
  }
  for (auto& channel : devices.channels) describe_port(channel, status);
  if (devices.vsock && status.vsock_cid) devices.vsock->cid = status.vsock_cid;
  describe_channels(domain, status);
  std::uint32_t index = 0;
  for (auto& disk : devices.disks) {
    ++index;
    if (disk.source) disk.source->index = index;
  }
}

void describe_channels(domain_xml::Domain& domain, const MonitorStatus& status) {
  if (!status.open_ports) return;
  for (auto& channel : domain.devices.channels) {
    if (channel.target_type != "virtio") continue;
    const bool is_open = std::ranges::count(*status.open_ports, channel.alias.value_or("")) != 0;
    channel.target_state = is_open ? "connected" : "disconnected";
  }
}

void describe_tray(domain_xml::Domain& domain, const std::string& alias, bool is_open) {
  for (auto& disk : domain.devices.disks)
    if (disk.alias == alias) disk.tray = is_open ? std::optional<std::string>("open") : std::nullopt;
}

void describe_trays(domain_xml::Domain& domain, const MonitorStatus& status) {
  for (const auto& disk : domain.devices.disks)
    if (disk.device == "cdrom")
      describe_tray(domain, disk.alias.value_or(""),
                    std::ranges::count(status.open_trays, disk.alias.value_or("")) != 0);
}

void describe_lost_links(domain_xml::Domain& domain, const MonitorStatus& status) {
  for (auto& interface : domain.devices.interfaces)
    if (std::ranges::count(status.lost_links, interface.alias.value_or("")) != 0)
      interface.link_state = "down";
}

std::vector<std::string> absent_devices(const domain_xml::Domain& domain,
                                        const DeviceStatistics& statistics) {
  std::vector<std::string> absent;
  const auto note = [&](const domain_xml::DeviceInfo& device, const auto& present) {
    const auto alias = device.alias.value_or("");
    if (std::ranges::none_of(present, [&](const auto& each) { return each.id == alias; }))
      absent.push_back(alias);
  };
  for (const auto& disk : domain.devices.disks)
    if (disk.target_bus == "virtio") note(disk, statistics.disks);
  for (const auto& interface : domain.devices.interfaces) note(interface, statistics.interfaces);
  return absent;
}

void describe_live_interfaces(domain_xml::Domain& domain, const DeviceStatistics& statistics) {
  for (auto& interface : domain.devices.interfaces) {
    const auto found = std::ranges::find(statistics.interfaces, interface.alias, &InterfaceStatistics::id);
    if (found != statistics.interfaces.end() && !found->device.empty()) interface.target_dev = found->device;
  }
}

}  // namespace virttdx::driver
