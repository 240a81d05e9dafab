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

// As Linux's pciehp drives a slot (drivers/pci/hotplug/pciehp_hpc.c).
struct HotPlugTest : RootPortTest {
  HotPlugTest() {
    root.add(3, 0, slot);
    set<std::uint8_t>(0, 3, pci_spec::kSecondaryBus, 6);
    set<std::uint16_t>(0, 3, pci_spec::kCommand, 0x0004);
    set<std::uint32_t>(0, 3, msi() + 4, 0xFEE01000);
    set<std::uint16_t>(0, 3, msi() + 12, 0x41);
    set<std::uint16_t>(0, 3, msi() + 2, 1);
  }
  unsigned capability(std::uint8_t id) {
    unsigned at = get<std::uint8_t>(0, 3, pci_spec::kCapabilities);
    while (at != 0 && get<std::uint8_t>(0, 3, at) != id) at = get<std::uint8_t>(0, 3, at + 1);
    return at;
  }
  unsigned msi() { return capability(0x05); }
  std::uint16_t control() { return get<std::uint16_t>(0, 3, capability(0x10) + 0x18); }
  void set_control(std::uint16_t value) { set<std::uint16_t>(0, 3, capability(0x10) + 0x18, value); }
  std::uint16_t status() { return get<std::uint16_t>(0, 3, capability(0x10) + 0x1A); }
  void clear_status(std::uint16_t events) { set<std::uint16_t>(0, 3, capability(0x10) + 0x1A, events); }
  bool link_is_active() { return (get<std::uint16_t>(0, 3, capability(0x10) + 0x12) & 0x2000) != 0; }

  std::vector<MsiMessage> messages;
  int powered_off = 0;
  PcieRootPort slot{{.slot = 9,
                     .port = 0x18,
                     .hot_plug = true,
                     .interrupts = [this](const MsiMessage& message) { messages.push_back(message); },
                     .on_power_off = [this] { ++powered_off; }}};
  // Power and indicator on; hot-plug interrupt for button, presence and link.
  static constexpr std::uint16_t kOn = 0x1129, kOff = kOn | 0x0700;
};

TEST_F(HotPlugTest, AnEmptySlotHasNoPowerAndSaysWhatItCan) {
  EXPECT_EQ(get<std::uint32_t>(0, 3, capability(0x10) + 0x14) & 0x7FFFF, 0x40053U);
  EXPECT_EQ(control(), 0x0700);
  EXPECT_EQ(status(), 0);
  EXPECT_FALSE(link_is_active());
}

TEST_F(HotPlugTest, ADeviceThatComesIsToldByOneMessage) {
  set_control(kOff);
  root.while_quiet([&] { slot.plug(behind); });
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0], (MsiMessage{0xFEE01000, 0x41}));
  EXPECT_EQ(status(), 0x0148);
  EXPECT_TRUE(link_is_active());
  clear_status(0x0108);
  EXPECT_EQ(status(), 0x0040);
  EXPECT_EQ(get<std::uint32_t>(6, 0, 0), 0x29188086U);
  EXPECT_EQ(messages.size(), 1U);
}

TEST_F(HotPlugTest, EventsBeforeInterruptsAreEnabledAreToldWhenTheyAre) {
  root.while_quiet([&] { slot.plug(behind); });
  EXPECT_TRUE(messages.empty());
  set_control(kOff);
  EXPECT_EQ(messages.size(), 1U);
}

TEST_F(HotPlugTest, AnEventIsClearedByAByteOfItsOwn) {
  root.while_quiet([&] { slot.plug(behind); });
  set<std::uint8_t>(0, 3, capability(0x10) + 0x1A, 0xFF);
  EXPECT_EQ(status(), 0x0140);
  set<std::uint8_t>(0, 3, capability(0x10) + 0x1B, 0x01);
  EXPECT_EQ(status(), 0x0040);
}

TEST_F(HotPlugTest, TheGuestLetsADeviceGoByCuttingPower) {
  root.while_quiet([&] { slot.plug(behind); });
  set_control(kOn);
  clear_status(0x0109);
  messages.clear();
  root.while_quiet([&] { slot.press_attention_button(); });
  EXPECT_EQ(messages.size(), 1U);
  EXPECT_EQ(status(), 0x0041);
  clear_status(0x0001);
  set_control(kOn | 0x0400);
  EXPECT_EQ(powered_off, 0);  // the indicator is still on
  set_control(kOff);
  EXPECT_EQ(powered_off, 1);
  set_control(kOff);
  EXPECT_EQ(powered_off, 1);
  root.while_quiet([&] { slot.unplug(); });
  EXPECT_EQ(status(), 0x0108);
  EXPECT_EQ(get<std::uint32_t>(6, 0, 0), 0xFFFFFFFFU);
}

TEST_F(HotPlugTest, CuttingThePowerOfAnEmptySlotIsNothing) {
  set_control(kOn);
  set_control(kOff);
  EXPECT_EQ(powered_off, 0);
}

TEST_F(RootPortTest, WithoutHotPlugHasNoneOfIt) {
  EXPECT_EQ(get<std::uint32_t>(0, 2, express() + 0x14) & 0x7FFFF, 0U);
  set<std::uint16_t>(0, 2, express() + 0x18, 0xFFFF);
  EXPECT_EQ(get<std::uint16_t>(0, 2, express() + 0x18), 0U);
  set<std::uint16_t>(0, 2, express() + 0x1A, 0xFFFF);
  EXPECT_EQ(get<std::uint16_t>(0, 2, express() + 0x1A), 0x0040);
}

}  // namespace
}  // namespace virttdx
