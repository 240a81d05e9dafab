// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "device_access.h"
#include "devices/host_bridge/host_bridge.h"
#include "devices/host_bridge/host_bridge_spec.h"
#include "devices/lpc/lpc.h"
#include "devices/lpc/lpc_spec.h"
#include "devices/pci/pci_root.h"
#include "devices/reset_control/reset_control.h"

namespace virttdx {
namespace {

using test::read_as;
using test::write_as;

struct PciTest : testing::Test {
  PciTest() {
    root.add(0, 0, bridge);
    root.add(lpc_spec::kDevice, 0, lpc);
    EXPECT_TRUE(ports.add(pci_spec::kConfigAddress, pci_spec::kConfigPorts, "PCI", root.ports()));
  }
  template <typename T>
  T get(unsigned device, unsigned offset) {
    write_as<std::uint32_t>(ports, 0xCF8, 0x80000000 | device << 11 | (offset & 0xFC));
    return read_as<T>(ports, 0xCFC + (offset & 3));
  }
  template <typename T>
  void set(unsigned device, unsigned offset, T value) {
    write_as<std::uint32_t>(ports, 0xCF8, 0x80000000 | device << 11 | (offset & 0xFC));
    write_as<T>(ports, 0xCFC + (offset & 3), value);
  }
  int resets = 0;
  std::optional<std::uint16_t> pm_block;
  PortBus ports;
  MmioBus mmio;
  ResetControl reset_control{[this] { ++resets; }};
  PciRoot root{mmio, reset_control};
  HostBridge bridge{[this](const std::optional<GpaRange>& window) { root.place_window(window); }};
  Lpc lpc{[this](std::optional<std::uint16_t> base) { pm_block = base; }};
};

TEST_F(PciTest, FindsQ35sBridges) {
  EXPECT_EQ(get<std::uint32_t>(0, 0), 0x29C08086U);
  EXPECT_EQ(get<std::uint32_t>(0, 8) >> 8, 0x060000U);
  EXPECT_EQ(get<std::uint32_t>(31, 0), 0x29188086U);
  EXPECT_EQ(get<std::uint32_t>(31, 8) >> 8, 0x060100U);
  EXPECT_EQ(get<std::uint8_t>(31, 0x0E), 0x80);
}

TEST_F(PciTest, ADeviceTellsThatItHasSeveralFunctions) {
  HostBridge first{[](const std::optional<GpaRange>&) {}}, second{[](const std::optional<GpaRange>&) {}};
  root.add(5, 3, second);
  root.add(5, 0, first);
  EXPECT_EQ(get<std::uint8_t>(5, 0x0E), 0x80);
  root.add(6, 0, first);
  EXPECT_EQ(get<std::uint8_t>(0, 0x0E), 0);
}

TEST_F(PciTest, EveryOtherDeviceReadsAllOnes) {
  for (unsigned device = 1; device < 31; ++device) {
    EXPECT_EQ(get<std::uint32_t>(device, 0), 0xFFFFFFFFU) << device;
    set<std::uint32_t>(device, 4, 7);
  }
  write_as<std::uint32_t>(ports, 0xCF8, 0x80010000);  // bus 1
  EXPECT_EQ(read_as<std::uint32_t>(ports, 0xCFC), 0xFFFFFFFFU);
}

TEST_F(PciTest, ReadsAllOnesWhileTheEnableBitIsClear) {
  write_as<std::uint32_t>(ports, 0xCF8, 0);
  EXPECT_EQ(read_as<std::uint32_t>(ports, 0xCFC), 0xFFFFFFFFU);
}

TEST_F(PciTest, ConfigAddressReadsBackItsDefinedBits) {
  write_as<std::uint32_t>(ports, 0xCF8, 0xFFFFFFFF);
  EXPECT_EQ(read_as<std::uint32_t>(ports, 0xCF8), 0x80FFFFFCU);
}

TEST_F(PciTest, ReachesResetControlInsideTheConfigAddress) {
  write_as<std::uint32_t>(ports, 0xCF8, 0x80000600);
  EXPECT_EQ(resets, 0);
  write_as<std::uint8_t>(ports, 0xCF9, 0x06);
  EXPECT_EQ(resets, 1);
  EXPECT_EQ(read_as<std::uint8_t>(ports, 0xCF9), 0x06);
  EXPECT_EQ(read_as<std::uint32_t>(ports, 0xCF8), 0x80000600U);
}

TEST_F(PciTest, IdentityIsReadOnly) {
  for (unsigned offset = 0; offset < 16; offset += 4) {
    if (offset == pci_spec::kCommand) continue;
    const auto before = get<std::uint32_t>(31, offset);
    set<std::uint32_t>(31, offset, ~before);
    EXPECT_EQ(get<std::uint32_t>(31, offset), before) << offset;
  }
}

TEST_F(PciTest, LpcAlwaysAnswersIoMemoryAndBusMaster) {
  EXPECT_EQ(get<std::uint16_t>(31, pci_spec::kCommand), 0x0007);
  set<std::uint16_t>(31, pci_spec::kCommand, 0);
  EXPECT_EQ(get<std::uint16_t>(31, pci_spec::kCommand), 0x0007);
  set<std::uint16_t>(31, pci_spec::kCommand, 0xFFFF);
  EXPECT_EQ(get<std::uint16_t>(31, pci_spec::kCommand), 0x0147);
}

TEST_F(PciTest, PlacesTheWindowWherePciexbarSays) {
  set<std::uint32_t>(0, host_bridge_spec::kPciexbar + 4, 0);
  set<std::uint32_t>(0, host_bridge_spec::kPciexbar, 0xB0000001);
  EXPECT_EQ(read_as<std::uint32_t>(mmio, 0xB0000000), 0x29C08086U);
  EXPECT_EQ(read_as<std::uint16_t>(mmio, 0xB0000000 + (31 << 15) + 2), 0x2918);
  EXPECT_EQ(read_as<std::uint32_t>(mmio, 0xB0000100), 0U);           // no extended capabilities
  EXPECT_EQ(read_as<std::uint32_t>(mmio, 0xB0100000), 0xFFFFFFFFU);  // bus 1
  EXPECT_EQ(read_as<std::uint32_t>(mmio, 0xBFFFF000), 0xFFFFFFFFU);
  write_as<std::uint32_t>(mmio, 0xB0000000 + host_bridge_spec::kPciexbar, 0xE0000001);
  EXPECT_EQ(read_as<std::uint32_t>(mmio, 0xB0000000), 0xFFFFFFFFU);
  EXPECT_EQ(read_as<std::uint32_t>(mmio, 0xE0000000), 0x29C08086U);
  EXPECT_EQ(mmio.unclaimed_reads(), 1U);
}

TEST_F(PciTest, HasNoWindowWhenDisabledReservedOrInTheWay) {
  set<std::uint32_t>(0, host_bridge_spec::kPciexbar, 0xB0000001);
  set<std::uint32_t>(0, host_bridge_spec::kPciexbar, 0xB0000000);
  EXPECT_EQ(read_as<std::uint32_t>(mmio, 0xB0000000), 0xFFFFFFFFU);
  set<std::uint32_t>(0, host_bridge_spec::kPciexbar, 0xB0000007);
  EXPECT_EQ(read_as<std::uint32_t>(mmio, 0xB0000000), 0xFFFFFFFFU);
  ASSERT_TRUE(mmio.add(0xB8000000, 0x1000, "in the way", reset_control));
  set<std::uint32_t>(0, host_bridge_spec::kPciexbar, 0xB0000001);
  EXPECT_EQ(read_as<std::uint32_t>(mmio, 0xB0000000), 0xFFFFFFFFU);
  set<std::uint32_t>(0, host_bridge_spec::kPciexbar, 0xB0000003);  // 128 MiB end before it
  EXPECT_EQ(read_as<std::uint32_t>(mmio, 0xB0000000), 0x29C08086U);
}

TEST_F(PciTest, PlacesTheAcpiBlockWherePmbaseSays) {
  EXPECT_EQ(get<std::uint32_t>(31, lpc_spec::kPmbase), 1U);
  set<std::uint32_t>(31, lpc_spec::kPmbase, 0xFFFF0601);
  EXPECT_FALSE(pm_block);
  set<std::uint8_t>(31, lpc_spec::kAcpiCntl, 0x80);
  EXPECT_EQ(pm_block, 0x600);
  EXPECT_EQ(get<std::uint32_t>(31, lpc_spec::kPmbase), 0x601U);
  set<std::uint8_t>(31, lpc_spec::kAcpiCntl, 0);
  EXPECT_FALSE(pm_block);
}

}  // namespace
}  // namespace virttdx
