// SPDX-License-Identifier: GPL-2.0-or-later
#include "firmware/boot_order.h"

#include <gtest/gtest.h>

#include <string>

namespace virttdx {
namespace {

std::string text_of(const DeviceConfigs& devices) {
  const auto bytes = boot_order_file(devices);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The forms are those of the examples in edk2's OvmfPkg/Library/QemuBootOrderLib.
TEST(BootOrder, NamesDevicesByTheirPlacesLowestIndexFirst) {
  DeviceConfigs devices;
  devices.root_ports.push_back({.id = "pci.5", .address = {0, 2, 3}, .bus = 5});
  devices.scsi_controllers.push_back({.id = "scsi0", .index = 1, .address = {0, 7, 0}});
  DiskConfig disk;
  disk.address = {5, 0, 0};
  disk.boot_index = 3;
  DiskConfig cdrom;
  cdrom.bus = DiskBus::Scsi;
  cdrom.kind = DiskKind::Cdrom;
  cdrom.scsi = {.controller = 1, .target = 2, .lun = 10};
  cdrom.boot_index = 1;
  DiskConfig not_booted;
  devices.disks = {disk, cdrom, not_booted};
  NetworkInterfaceConfig interface;
  interface.address = {0, 29, 1};
  interface.boot_index = 2;
  devices.interfaces = {interface};
  EXPECT_EQ(text_of(devices), std::string("/pci@i0cf8/scsi@7/channel@0/disk@2,a\n"
                                          "/pci@i0cf8/ethernet@1d,1/ethernet-phy@0\n"
                                          "/pci@i0cf8/pci-bridge@2,3/scsi@0/disk@0,0") +
                                  '\0');
}

TEST(BootOrder, IsEmptyWithoutBootIndexes) {
  DeviceConfigs devices;
  devices.disks.emplace_back();
  EXPECT_EQ(text_of(devices), "");
}

}  // namespace
}  // namespace virttdx
