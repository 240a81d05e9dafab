// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/acpi_pm/acpi_pm.h"

#include <gtest/gtest.h>

#include "device_access.h"

namespace virttdx {
namespace {

using namespace acpi_pm_spec;
using test::read_as;
using test::write_as;

struct AcpiPmTest : testing::Test {
  AcpiPmTest() { pm.place(0x600); }
  std::uint32_t timer() { return read_as<std::uint32_t>(ports, 0x608); }
  int power_offs = 0;
  PortBus ports;
  test::SettableClock clock;
  test::RecordingLine sci;
  AcpiPm pm{ports, clock, sci, [this] { ++power_offs; }};
};

TEST_F(AcpiPmTest, TimerCountsAt3579545HzIn24Bits) {
  EXPECT_EQ(timer(), 0U);
  clock.now_ns = 1'000'000'000;
  EXPECT_EQ(timer(), 3'579'545U);
  clock.now_ns = 5'000'000'000;
  EXPECT_EQ(timer(), 5U * 3'579'545U - (1U << 24));
  clock.now_ns = ~0ULL;
  EXPECT_LT(timer(), 1U << 24);
}

TEST_F(AcpiPmTest, TimerFollowsAClockThatRunsBackwards) {
  clock.now_ns = 2'000'000'000;
  const std::uint32_t before = timer();
  clock.now_ns = 1'000'000'000;
  EXPECT_LT(timer(), before);
}

TEST_F(AcpiPmTest, TimerIgnoresWrites) {
  write_as<std::uint32_t>(ports, 0x608, 0x1234);
  EXPECT_EQ(timer(), 0U);
}

TEST_F(AcpiPmTest, PowersOffForSleepTypesOfS5Only) {
  for (unsigned type = 0; type < 8; ++type) {
    power_offs = 0;
    write_as<std::uint16_t>(ports, 0x604, static_cast<std::uint16_t>(type << 10 | 1U << 13));
    EXPECT_EQ(power_offs, type == 0 || type == 7 ? 1 : 0) << type;
  }
}

TEST_F(AcpiPmTest, SleepEnableReadsZeroAndSleepTypeHolds) {
  write_as<std::uint16_t>(ports, 0x604, 0x1C01);
  EXPECT_EQ(power_offs, 0);
  EXPECT_EQ(read_as<std::uint16_t>(ports, 0x604), 0x1C01);
  write_as<std::uint8_t>(ports, 0x605, 0x3C);
  EXPECT_EQ(power_offs, 1);
  EXPECT_EQ(read_as<std::uint16_t>(ports, 0x604), 0x1C01);
}

TEST_F(AcpiPmTest, PowerButtonRaisesTheSciUntilItsStatusIsCleared) {
  write_as<std::uint16_t>(ports, 0x602, kPowerButton);
  EXPECT_FALSE(sci.asserted);
  pm.press_power_button();
  EXPECT_EQ(read_as<std::uint16_t>(ports, 0x600), kPowerButton);
  EXPECT_TRUE(sci.asserted);
  write_as<std::uint16_t>(ports, 0x600, kPowerButton);
  EXPECT_FALSE(sci.asserted);
  EXPECT_EQ(read_as<std::uint16_t>(ports, 0x600), 0);
}

TEST_F(AcpiPmTest, IsAlwaysInAcpiMode) {
  EXPECT_EQ(read_as<std::uint16_t>(ports, 0x604), kSciEnable);
  write_as<std::uint16_t>(ports, 0x604, 0);
  EXPECT_EQ(read_as<std::uint16_t>(ports, 0x604), kSciEnable);
}

TEST_F(AcpiPmTest, PowerButtonWaitsForItsEnableBit) {
  pm.press_power_button();
  EXPECT_FALSE(sci.asserted);
  write_as<std::uint16_t>(ports, 0x602, kPowerButton);
  EXPECT_TRUE(sci.asserted);
}

TEST_F(AcpiPmTest, EveryUndefinedRegisterReadsZeroAndHoldsNothing) {
  for (std::uint16_t offset = 0x34; offset < kSize; ++offset) {
    write_as<std::uint8_t>(ports, 0x600 + offset, 0xFF);
    EXPECT_EQ(read_as<std::uint8_t>(ports, 0x600 + offset), 0) << offset;
  }
}

TEST_F(AcpiPmTest, MovesAndDisappears) {
  pm.place(0xB000);
  clock.now_ns = 1'000'000'000;
  EXPECT_EQ(timer(), 0xFFFFFFFFU);
  EXPECT_EQ(read_as<std::uint32_t>(ports, 0xB008), 3'579'545U);
  pm.place(std::nullopt);
  EXPECT_EQ(read_as<std::uint32_t>(ports, 0xB008), 0xFFFFFFFFU);
}

}  // namespace
}  // namespace virttdx
