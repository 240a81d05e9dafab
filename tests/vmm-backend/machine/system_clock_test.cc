// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine/system_clock.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <limits>

namespace virttdx {
namespace {

struct SystemClockTest : testing::Test {
  ~SystemClockTest() override { use("UTC0"); }
  static void use(const char* zone) {
    VmConfig config;
    config.clock_zone = zone;
    use_time_zone(config);
  }
  /// From the host's time, when both are asked in the same second.
  std::int64_t offset() const {
    const SystemClock clock(config);
    for (;;) {
      const std::time_t before = std::time(nullptr);
      const auto seconds = clock.wall_seconds();
      if (std::time(nullptr) == before) return seconds - before;
    }
  }
  VmConfig config;
};

TEST_F(SystemClockTest, IsUtcMovedByAnOffset) {
  use("Somewhere-3");
  EXPECT_EQ(offset(), 0);
  config.clock_offset_seconds = -86400;
  EXPECT_EQ(offset(), -86400);
}

TEST_F(SystemClockTest, IsLocalTimeOfTheNamedZone) {
  config.clock = ClockBase::LocalTime;
  use("Somewhere-3:30");
  EXPECT_EQ(offset(), 12600);
  config.clock_offset_seconds = 60;
  EXPECT_EQ(offset(), 12660);
}

TEST_F(SystemClockTest, StaysWithTheLocalTimeThatItBeganWith) {
  config.clock = ClockBase::LocalTime;
  use("Winter-1");
  const SystemClock clock(config);
  use("Summer-2");
  EXPECT_NEAR(static_cast<double>(clock.wall_seconds() - std::time(nullptr)), 3600, 1);
}

TEST_F(SystemClockTest, BeginsWithAMoment) {
  config.clock_start_seconds = 1000;
  const std::time_t before = std::time(nullptr);
  const auto first = SystemClock(config).wall_seconds();
  EXPECT_GE(first, 1000);
  EXPECT_LE(first, 1000 + std::time(nullptr) - before);
}

TEST_F(SystemClockTest, SurvivesAnOffsetBeyondTime) {
  config.clock_offset_seconds = std::numeric_limits<std::int64_t>::max();
  SystemClock(config).wall_seconds();
  config.clock_start_seconds = std::numeric_limits<std::int64_t>::max();
  SystemClock(config).wall_seconds();
}

}  // namespace
}  // namespace virttdx
