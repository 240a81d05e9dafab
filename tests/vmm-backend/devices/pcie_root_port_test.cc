// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/pci/pcie_root_port.h"

#include <gtest/gtest.h>

#include "device_access.h"
#include "devices/lpc/lpc.h"
#include "devices/pci/pci_root.h"
#include "devices/reset_control/reset_control.h"

namespace virttdx {
namespace {

using test::read_as;
using test::write_as;

struct RootPortTest : testing::Test {
  RootPortTest() {
    port.add(0, behind);
    root.add(2, 0, port);
    EXPECT_TRUE(ports.add(pci_spec::kConfigAddress, pci_spec::kConfigPorts, "PCI", root.ports()));
  }
  void select(unsigned bus, unsigned device, unsigned offset) {
    write_as<std::uint32_t>(ports, 0xCF8, 0x80000000 | bus << 16 | device << 11 | (offset & 0xFC));
  }
  template <typename T>
  T get(unsigned bus, unsigned device, unsigned offset) {
    select(bus, device, offset);
    return read_as<T>(ports, 0xCFC + (offset & 3));
  }
  template <typename T>
  void set(unsigned bus, unsigned device, unsigned offset, T value) {
    select(bus, device, offset);
    write_as<T>(ports, 0xCFC + (offset & 3), value);
  }
  unsigned express() { return get<std::uint8_t>(0, 2, pci_spec::kCapabilities); }

  PortBus ports;
  MmioBus mmio;
  ResetControl reset_control{[] {}};
  PciRoot root{mmio, reset_control};
  Lpc behind{[](std::optional<std::uint16_t>) {}};
  PcieRootPort port{{.slot = 7, .port = 0x10}};
};

TEST_F(RootPortTest, IsABridgeWithASlotThatIsTaken) {
  EXPECT_EQ(get<std::uint32_t>(0, 2, 8) >> 8, 0x060400U);
  EXPECT_EQ(get<std::uint8_t>(0, 2, pci_spec::kHeaderType) & 0x7F, 1);
  EXPECT_EQ(get<std::uint8_t>(0, 2, express()), 0x10);
  EXPECT_EQ(get<std::uint16_t>(0, 2, express() + 2), 0x0142);  // version 2, root port, slot
  EXPECT_EQ(get<std::uint32_t>(0, 2, express() + 0x0C) >> 24, 0x10U);
  EXPECT_EQ(get<std::uint32_t>(0, 2, express() + 0x14) >> 19, 7U);
  EXPECT_EQ(get<std::uint16_t>(0, 2, express() + 0x1A), 0x0040);  // presence
}

TEST_F(RootPortTest, ShowsItsDeviceOnTheBusThatItIsGiven) {
  EXPECT_EQ(get<std::uint32_t>(1, 0, 0), 0xFFFFFFFFU);
  set<std::uint8_t>(0, 2, pci_spec::kSecondaryBus, 5);
  EXPECT_EQ(get<std::uint32_t>(5, 0, 0), 0x29188086U);
  EXPECT_EQ(get<std::uint32_t>(5, 1, 0), 0xFFFFFFFFU);
  EXPECT_EQ(get<std::uint32_t>(1, 0, 0), 0xFFFFFFFFU);
}

TEST_F(RootPortTest, HoldsTheWindowsThatTheFirmwareWrites) {
  set<std::uint32_t>(0, 2, pci_spec::kMemoryBase, 0xFFFFFFFF);
  EXPECT_EQ(get<std::uint32_t>(0, 2, pci_spec::kMemoryBase), 0xFFF0FFF0U);
  set<std::uint32_t>(0, 2, pci_spec::kPrefetchableBase, 0);
  EXPECT_EQ(get<std::uint32_t>(0, 2, pci_spec::kPrefetchableBase), 0x00010001U);
  set<std::uint32_t>(0, 2, pci_spec::kPrefetchableLimitUpper, 8);
  EXPECT_EQ(get<std::uint32_t>(0, 2, pci_spec::kPrefetchableLimitUpper), 8U);
  set<std::uint16_t>(0, 2, 0x1C, 0xFFFF);  // no I/O window
  EXPECT_EQ(get<std::uint16_t>(0, 2, 0x1C), 0U);
}

}  // namespace
}  // namespace virttdx
