// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "vmm_backend/vm_config.h"

namespace virttdx {
namespace {

// The corpus's document with a device of each kind.
VmConfig with_devices() {
  std::stringstream text;
  text << std::ifstream(VIRTTDX_SOURCE "/tests/fuzz/corpus/vm_config_json/devices.json").rdbuf();
  return vm_config_from_json(text.str()).value();
}

std::string refusal_with_devices(void (*change)(VmConfig&)) {
  auto config = with_devices();
  change(config);
  const auto valid = validate(config);
  return valid ? "" : valid.error().message();
}

std::string device_refusal(void (*change)(DeviceConfigs&)) {
  auto config = with_devices();
  change(config.devices);
  const auto valid = validate(config);
  return valid ? "" : valid.error().message();
}

TEST(ValidateDevices, AcceptsADeviceOfEachKind) {
  const auto valid = validate(with_devices());
  EXPECT_TRUE(valid) << valid.error().message();
}

TEST(ValidateDevices, RefusesAnIdTwice) {
  EXPECT_EQ(device_refusal([](auto& d) { d.interfaces[0].id = "virtio-disk0"; }),
            "/devices/interfaces: id 'virtio-disk0' stands twice");
  EXPECT_EQ(device_refusal([](auto& d) { d.disks[0].id = ""; }), "/devices/disks: id is empty");
}

TEST(ValidateDevices, RefusesAPciAddressTwiceOrOfTheChipset) {
  EXPECT_EQ(device_refusal([](auto& d) { d.vsock->address = d.rngs[0].address; }),
            "/devices/vsock: PCI address 00:08.0 stands twice");
  EXPECT_EQ(device_refusal([](auto& d) { d.rngs[0].address.slot = 0; }),
            "/devices/rngs: PCI address 00:00.0 is the chipset's");
  EXPECT_EQ(device_refusal([](auto& d) {
              d.rngs[0].address = {0, 31, 3};
            }),
            "/devices/rngs: PCI address 00:1f.3 is the chipset's");
  EXPECT_EQ(device_refusal([](auto& d) { d.rngs[0].address.slot = 32; }),
            "/devices/rngs: PCI slot 32 function 0 is outside 0 to 31 and 0 to 7");
}

TEST(ValidateDevices, RefusesAFunctionThatNoGuestSees) {
  EXPECT_EQ(device_refusal([](auto& d) {
              d.rngs[0].address = {0, 20, 1};
            }),
            "/devices: PCI address 00:14.1: a guest does not see it, for the slot has no function 0");
  EXPECT_EQ(device_refusal([](auto& d) {
              d.rngs[0].address = d.disks[0].address;
              d.rngs[0].address.function = 1;
            }),
            "");
}

TEST(ValidateDevices, RefusesABusThatNoRootPortLeadsTo) {
  EXPECT_EQ(device_refusal([](auto& d) {
              d.rngs[0].address = {3, 0, 0};
            }),
            "/devices/rngs: PCI address 03:00.0: no root port leads to bus 3");
  EXPECT_EQ(device_refusal([](auto& d) {
              d.disks[0].address = {1, 1, 0};
            }),
            "/devices/disks 'virtio-disk0': PCI address 01:01.0: behind a root port there is slot 0 only");
  EXPECT_EQ(device_refusal([](auto& d) { d.root_ports[1].bus = 1; }),
            "/devices/root_ports: bus 1 stands twice");
  EXPECT_EQ(device_refusal([](auto& d) { d.root_ports[1].chassis = 1; }),
            "/devices/root_ports: chassis 1 stands twice");
}

TEST(ValidateDevices, RefusesDisksThatCannotBe) {
  EXPECT_EQ(device_refusal([](auto& d) { d.disks[0].source.reset(); }),
            "/devices/disks 'virtio-disk0': a disk needs a source");
  EXPECT_EQ(device_refusal([](auto& d) { d.disks[0].kind = DiskKind::Cdrom; }),
            "/devices/disks 'virtio-disk0': a CD-ROM drive needs bus scsi");
  EXPECT_EQ(device_refusal([](auto& d) { d.disks[0].source->path = "image"; }),
            "/devices/disks 'virtio-disk0': path 'image' is not absolute");
  EXPECT_EQ(device_refusal([](auto& d) { d.disks[0].serial = std::string(21, 's'); }),
            "/devices/disks 'virtio-disk0': serial has 21 bytes; at most 20 are accepted");
  EXPECT_EQ(device_refusal([](auto& d) { d.disks[0].queue_size = 100; }),
            "/devices/disks 'virtio-disk0': queue_size 100 is not a power of two");
  EXPECT_EQ(device_refusal([](auto& d) { d.disks[0].queues = 0; }),
            "/devices/disks 'virtio-disk0': queues 0 is outside 1 to 256");
  EXPECT_EQ(device_refusal([](auto& d) { d.disks[0].physical_block_size = 512; }),
            "/devices/disks 'virtio-disk0': physical_block_size 512 is below logical_block_size 4096");
  EXPECT_EQ(device_refusal([](auto& d) { d.disks[0].target = "vdb"; }),
            "/devices/disks 'virtio-disk0': target 'vdb' stands twice");
  EXPECT_EQ(device_refusal([](auto& d) { d.disks[1].scsi.controller = 1; }),
            "/devices/disks 'scsi0-0-0-0': there is no controller 1");
  EXPECT_EQ(device_refusal([](auto& d) { d.disks[2].source->hosts[0].unix_socket = "/x"; }),
            "/devices/disks 'virtio-disk2': a host has either a name or a unix_socket");
}

TEST(ValidateDevices, RefusesLimitsThatExcludeEachOther) {
  EXPECT_EQ(device_refusal([](auto& d) { d.disks[0].limits.read_bytes.per_second = 1; }),
            "/devices/disks 'virtio-disk0': total_bytes excludes read_bytes and write_bytes");
  EXPECT_EQ(device_refusal([](auto& d) { d.disks[0].limits.total_bytes.maximum = 1; }),
            "/devices/disks 'virtio-disk0': total_bytes: maximum 1 is below per_second 1000");
}

TEST(ValidateDevices, RefusesInterfacesThatCannotBe) {
  for (const char* mac : {"52:54:00:12:34", "53:54:00:12:34:56", "52-54-00-12-34-56", "5g:54:00:12:34:56"}) {
    auto config = with_devices();
    config.devices.interfaces[0].mac = mac;
    EXPECT_EQ(validate(config).error().message(), "/devices/interfaces 'net0': mac '" + std::string(mac) +
                                                      "' is no unicast address as 52:54:00:12:34:56");
  }
  EXPECT_EQ(device_refusal([](auto& d) { d.interfaces[0].device = "a-name-too-long-"; }),
            "/devices/interfaces 'net0': device has 16 bytes; at most 15 are accepted");
  EXPECT_EQ(device_refusal([](auto& d) { d.interfaces[0].mtu = 67; }),
            "/devices/interfaces 'net0': mtu 67 is outside 68 to 65535");
  EXPECT_EQ(device_refusal([](auto& d) { d.interfaces[1].link.reset(); }),
            "/devices/interfaces 'net1': macvtap needs a link");
}

TEST(ValidateDevices, RefusesABootIndexTwiceAmongDisksAndInterfaces) {
  EXPECT_EQ(device_refusal([](auto& d) { d.interfaces[0].boot_index = 1; }),
            "/devices/interfaces 'net0': boot_index 1 stands twice");
}

TEST(ValidateDevices, RefusesConsolePortsThatCannotBe) {
  EXPECT_EQ(device_refusal([](auto& d) { d.console_ports[1].port = 2; }),
            "/devices/console_ports 'channel0': port 2 of controller 0 stands twice");
  EXPECT_EQ(device_refusal([](auto& d) { d.console_ports[0].console = false; }),
            "/devices/console_ports 'console1': port 0 is for a console, not for a channel");
  EXPECT_EQ(device_refusal([](auto& d) { d.console_ports[1].port = 16; }),
            "/devices/console_ports 'channel0': port 16 is outside 0 to 15");
  EXPECT_EQ(device_refusal([](auto& d) { d.console_ports[1].path.reset(); }),
            "/devices/console_ports 'channel0': path is empty");
}

TEST(ValidateDevices, RefusesOtherValuesOutsideTheirRanges) {
  EXPECT_EQ(device_refusal([](auto& d) { d.vsock->guest_cid = 2; }),
            "/devices/vsock: guest_cid 2 is outside 3 to 4294967294");
  EXPECT_EQ(device_refusal([](auto& d) { d.rngs[0].period_milliseconds = 0; }),
            "/devices/rngs: bytes_per_period 1024 without period_milliseconds");
  EXPECT_EQ(refusal_with_devices([](VmConfig& c) { c.kernel->kernel.clear(); }), "/kernel/kernel is empty");
  EXPECT_EQ(refusal_with_devices([](VmConfig& c) { c.smbios->system.serial = std::string(256, 's'); }),
            "/smbios/system has 256 bytes; at most 255 are accepted");
}

}  // namespace
}  // namespace virttdx
