// SPDX-License-Identifier: GPL-2.0-or-later
#include "bus/bus.h"

#include <gtest/gtest.h>

#include <array>

namespace virttdx {
namespace {

/// Reads give the offset's low byte; writes are remembered.
struct Echo : ByteRegion {
  std::uint8_t read_byte(std::uint64_t offset) override { return static_cast<std::uint8_t>(offset); }
  void write_byte(std::uint64_t offset, std::uint8_t value) override {
    written[offset % written.size()] = value;
  }
  std::array<std::uint8_t, 16> written{};
};

TEST(Bus, GivesARegionItsOffset) {
  PortBus bus;
  Echo echo;
  ASSERT_TRUE(bus.add(0x100, 16, "echo", echo));
  std::array<std::byte, 2> data{};
  bus.read(0x104, data);
  EXPECT_EQ(data, (std::array{std::byte{4}, std::byte{5}}));
  bus.write(0x10E, data);
  EXPECT_EQ(echo.written[14], 4);
  EXPECT_EQ(echo.written[15], 5);
}

TEST(Bus, ReadsAllOnesWhereNoDeviceIs) {
  PortBus bus;
  std::array<std::byte, 4> data{};
  bus.read(0x80, data);
  bus.write(0x80, data);
  EXPECT_EQ(data[0], std::byte{0xFF});
  EXPECT_EQ(data[3], std::byte{0xFF});
  EXPECT_EQ(bus.unclaimed_reads(), 1U);
  EXPECT_EQ(bus.unclaimed_writes(), 1U);
}

TEST(Bus, TreatsAnAccessAcrossARangesEndAsUnclaimed) {
  PortBus bus;
  Echo echo;
  ASSERT_TRUE(bus.add(0x100, 4, "echo", echo));
  std::array<std::byte, 4> data{};
  bus.write(0x102, data);
  bus.read(0xFE, data);
  EXPECT_EQ(bus.unclaimed_writes(), 1U);
  EXPECT_EQ(bus.unclaimed_reads(), 1U);
}

TEST(Bus, RefusesOverlapNamingBothOwners) {
  PortBus bus;
  Echo first, second;
  ASSERT_TRUE(bus.add(0x3F8, 8, "COM1", first));
  const auto overlap = bus.add(0x3FF, 1, "other", second);
  ASSERT_FALSE(overlap);
  EXPECT_EQ(overlap.error().code(), Error::Code::AlreadyExists);
  EXPECT_EQ(overlap.error().message(), "port range 0x3ff-0x3ff of 'other' overlaps 0x3f8-0x3ff of 'COM1'");
  EXPECT_FALSE(bus.add(0x3F0, 9, "other", second));
  EXPECT_TRUE(bus.add(0x3F0, 8, "other", second));
  EXPECT_TRUE(bus.add(0x400, 8, "other", second));
}

TEST(Bus, RefusesRangesThatLeaveTheAddressSpace) {
  PortBus ports;
  MmioBus mmio;
  Echo echo;
  EXPECT_TRUE(ports.add(0xFFFF, 1, "last", echo));
  EXPECT_FALSE(ports.add(0xFFFE, 3, "beyond", echo));
  EXPECT_FALSE(ports.add(0x10000, 1, "beyond", echo));
  EXPECT_FALSE(ports.add(0, 0, "empty", echo));
  EXPECT_FALSE(mmio.add(1ULL << 51, ~0ULL, "wraps", echo));
}

TEST(Bus, ForgetsARemovedRegion) {
  MmioBus bus;
  Echo echo;
  ASSERT_TRUE(bus.add(0xB0000000, 0x1000, "echo", echo));
  bus.remove(echo);
  std::array<std::byte, 1> data{};
  bus.read(0xB0000000, data);
  EXPECT_EQ(data[0], std::byte{0xFF});
  EXPECT_TRUE(bus.add(0xE0000000, 0x1000, "echo", echo));
}

}  // namespace
}  // namespace virttdx
