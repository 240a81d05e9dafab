// SPDX-License-Identifier: GPL-2.0-or-later
#include "firmware/boot_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <string>

namespace virttdx {
namespace {

// A function's number is left out when it is 0.
std::string unit_of(const PciAddress& address) {
  return address.function == 0 ? fmt::format("{:x}", address.slot)
                               : fmt::format("{:x},{:x}", address.slot, address.function);
}

/// The path of a PCI function that is a `kind`.
std::string pci_path(const DeviceConfigs& devices, const PciAddress& address, const char* kind) {
  std::string path = "/pci@i0cf8";
  const auto port = std::ranges::find(devices.root_ports, address.bus, &PciRootPortConfig::bus);
  if (address.bus != 0 && port != devices.root_ports.end()) path += "/pci-bridge@" + unit_of(port->address);
  return path + "/" + kind + "@" + unit_of(address);
}

std::string path_of(const DeviceConfigs& devices, const DiskConfig& disk) {
  if (disk.bus == DiskBus::VirtioBlk) return pci_path(devices, disk.address, "scsi") + "/disk@0,0";
  const auto host =
      std::ranges::find(devices.scsi_controllers, disk.scsi.controller, &ScsiControllerConfig::index);
  if (host == devices.scsi_controllers.end()) return {};
  return fmt::format("{}/channel@0/disk@{:x},{:x}", pci_path(devices, host->address, "scsi"),
                     disk.scsi.target, disk.scsi.lun);
}

}  // namespace

std::vector<std::byte> boot_order_file(const DeviceConfigs& devices) {
  std::map<std::uint32_t, std::string> paths;
  for (const auto& disk : devices.disks)
    if (disk.boot_index) paths[*disk.boot_index] = path_of(devices, disk);
  for (const auto& interface : devices.interfaces)
    if (interface.boot_index)
      paths[*interface.boot_index] = pci_path(devices, interface.address, "ethernet") + "/ethernet-phy@0";
  std::string text;
  for (const auto& [index, path] : paths) text += (text.empty() ? "" : "\n") + path;
  if (text.empty()) return {};
  text += '\0';
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

}  // namespace virttdx
