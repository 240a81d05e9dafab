// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/rtc/rtc.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "device_access.h"

namespace virttdx {
namespace {

using namespace rtc_spec;
using test::in8;
using test::out8;

constexpr std::int64_t kMoment = 1794900615;  // Tuesday 2026-11-17 07:30:15 UTC (date -u -d @1794900615)

struct RtcTest : testing::Test {
  RtcTest() { clock.now_seconds = kMoment; }
  std::uint8_t get(unsigned index) {
    out8(rtc, 0, index);
    return in8(rtc, 1);
  }
  void set(unsigned index, unsigned value) {
    out8(rtc, 0, index);
    out8(rtc, 1, value);
  }
  test::SettableClock clock;
  RtcAdjustment adjustment;
  Rtc rtc{clock, {.below_4g = 512U << 20, .above_4g = 3ULL << 30}, adjustment};
};

TEST_F(RtcTest, ShowsTheClocksTimeInBcdAnd24Hours) {
  EXPECT_EQ(get(kSeconds), 0x15);
  EXPECT_EQ(get(kMinutes), 0x30);
  EXPECT_EQ(get(kHours), 0x07);
  EXPECT_EQ(get(kDayOfWeek), 3);
  EXPECT_EQ(get(kDayOfMonth), 0x17);
  EXPECT_EQ(get(kMonth), 0x11);
  EXPECT_EQ(get(kYear), 0x26);
  EXPECT_EQ(get(kCentury), 0x20);
}

TEST_F(RtcTest, ShowsBinaryAnd12HoursWhenAsked) {
  set(kRegisterB, kBinary);
  clock.now_seconds += 12 * 3600;
  EXPECT_EQ(get(kHours), kAfternoon | 7);
  EXPECT_EQ(get(kMonth), 11);
  EXPECT_EQ(get(kYear), 26);
  clock.now_seconds = 0;
  EXPECT_EQ(get(kHours), 12);  // midnight
}

TEST_F(RtcTest, HasTheDatasheetsControlRegisters) {
  EXPECT_EQ(get(kRegisterA), 0x26);
  EXPECT_EQ(get(kRegisterB), 0x02);
  EXPECT_EQ(get(kRegisterC), 0x00);
  EXPECT_EQ(get(kRegisterD), 0x80);
  set(kRegisterA, 0xFF);
  set(kRegisterC, 0xFF);
  set(kRegisterD, 0x00);
  EXPECT_EQ(get(kRegisterA), 0x7F);
  EXPECT_EQ(get(kRegisterC), 0x00);
  EXPECT_EQ(get(kRegisterD), 0x80);
}

TEST_F(RtcTest, TellsMemorySizes) {
  EXPECT_EQ(get(kMemoryAbove16M) | get(kMemoryAbove16M + 1) << 8, (512 - 16) << 4);
  EXPECT_EQ(get(kMemoryAbove4G) | get(kMemoryAbove4G + 1) << 8 | get(kMemoryAbove4G + 2) << 16, 3 << 14);
  EXPECT_EQ(get(kBaseMemory) | get(kBaseMemory + 1) << 8, 640);
  EXPECT_EQ(get(kExtendedMemory) | get(kExtendedMemory + 1) << 8, 0xFFFF);
}

TEST_F(RtcTest, KeepsATimeThatTheGuestSets) {
  set(kRegisterB, kSet | k24Hours);
  set(kYear, 0x30);
  set(kMonth, 0x01);
  set(kDayOfMonth, 0x31);
  set(kHours, 0x23);
  set(kMinutes, 0x59);
  set(kSeconds, 0x58);
  clock.now_seconds += 100;
  EXPECT_EQ(get(kSeconds), 0x58);
  set(kRegisterB, k24Hours);
  clock.now_seconds += 2;
  EXPECT_EQ(get(kSeconds), 0x00);
  EXPECT_EQ(get(kHours), 0x00);
  EXPECT_EQ(get(kDayOfMonth), 0x01);
  EXPECT_EQ(get(kMonth), 0x02);
  EXPECT_EQ(get(kYear), 0x30);
}

TEST_F(RtcTest, ATimeThatTheGuestSetOutlivesItsMachine) {
  set(kYear, 0x30);
  clock.now_seconds += 2;
  Rtc next{clock, {}, adjustment};
  out8(next, 0, kYear);
  EXPECT_EQ(in8(next, 1), 0x30);
  out8(next, 0, kSeconds);
  EXPECT_EQ(in8(next, 1), 0x17);
}

TEST_F(RtcTest, TellsByHowMuchTheGuestMovesIt) {
  std::vector<std::int64_t> told;
  RtcAdjustment watched([&](std::int64_t seconds) { told.push_back(seconds); });
  Rtc other{clock, {}, watched};
  const auto write = [&](std::uint8_t index, std::uint8_t value) {
    out8(other, 0, index);
    out8(other, 1, value);
  };
  write(kSeconds, 0x16);
  EXPECT_EQ(told, (std::vector<std::int64_t>{1}));
  write(kRegisterB, kSet | k24Hours);
  write(kSeconds, 0x25);
  EXPECT_EQ(told.size(), 1U) << "not before all is set";
  write(kRegisterB, k24Hours);
  EXPECT_EQ(told, (std::vector<std::int64_t>{1, 10}));
}

TEST_F(RtcTest, FollowsAClockThatRunsBackwards) {
  EXPECT_EQ(get(kSeconds), 0x15);
  clock.now_seconds -= 16;
  EXPECT_EQ(get(kSeconds), 0x59);
  EXPECT_EQ(get(kMinutes), 0x29);
}

TEST_F(RtcTest, StaysInsideItsYearsAtTheClocksEnds) {
  clock.now_seconds = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(get(kYear), 0x70);
  EXPECT_EQ(get(kCentury), 0x19);
  clock.now_seconds = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(get(kYear), 0x99);
  EXPECT_EQ(get(kCentury), 0x99);
  set(kSeconds, 0);
  clock.now_seconds = std::numeric_limits<std::int64_t>::min();
  EXPECT_LE(get(kSeconds), 0x59);
}

TEST_F(RtcTest, SurvivesDatesThatDoNotExist) {
  set(kRegisterB, kSet | kBinary | k24Hours);
  for (unsigned index = 0; index <= kYear; ++index) set(index, 0xFF);
  set(kRegisterB, kBinary | k24Hours);
  EXPECT_LE(get(kSeconds), 59);
  EXPECT_LE(get(kMonth), 12);
}

TEST_F(RtcTest, HoldsEveryOtherByteOfCmosMemory) {
  for (unsigned index = kRegisterD + 1; index < kSize; ++index) {
    if (index == kCentury) continue;
    set(index, index ^ 0x5A);
    EXPECT_EQ(get(index), index ^ 0x5A) << index;
  }
  EXPECT_EQ(get(0x80 | 0x40), 0x40 ^ 0x5A);  // bit 7 is the NMI mask
}

}  // namespace
}  // namespace virttdx
