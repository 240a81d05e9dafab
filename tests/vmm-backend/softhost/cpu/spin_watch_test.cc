// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/spin_watch.h"

#include <gtest/gtest.h>

namespace virttdx::softhost {
namespace {

using std::chrono::microseconds;

constexpr unsigned kMeetings = 3;

struct SpinWatchTest : testing::Test {
  /// 100 us after the last time.
  SpinWatch::Clock::duration met(std::uint64_t rip, std::uint64_t rax = 0) {
    now += microseconds(100);
    Registers registers;
    registers.rip = rip;
    registers.gpr[kRax] = rax;
    return watch.met(registers, calls, now);
  }
  SpinWatch watch{kMeetings};
  std::uint64_t calls = 0;
  SpinWatch::Clock::time_point now;
};

TEST_F(SpinWatchTest, ALoopOfOneBlockRestsHalfOfItsWait) {
  EXPECT_EQ(met(0x1000).count(), 0);
  EXPECT_EQ(met(0x1000).count(), 0);
  EXPECT_EQ(met(0x1000).count(), 0);
  EXPECT_EQ(met(0x1000), microseconds(150));
  EXPECT_EQ(met(0x1000), microseconds(200));
}

TEST_F(SpinWatchTest, ALoopOfSeveralBlocksRestsToo) {
  for (const std::uint64_t rip : {0x1000, 0x1010, 0x1020, 0x1010, 0x1000}) EXPECT_EQ(met(rip).count(), 0);
  EXPECT_EQ(met(0x1020), microseconds(150));
}

TEST_F(SpinWatchTest, NoRestIsLongerThanTheLongest) {
  for (int i = 0; i < 1000; ++i) met(0x1000);
  EXPECT_EQ(met(0x1000), SpinWatch::kLongestRest);
}

TEST_F(SpinWatchTest, WhatCountsOrComputesDoesNotRest) {
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(met(0x1000, i).count(), 0);
  EXPECT_FALSE(watch.suspects());
}

TEST_F(SpinWatchTest, WhatAsksForSomethingDoesNotRest) {
  for (int i = 0; i < 100; ++i, ++calls) EXPECT_EQ(met(0x1000).count(), 0);
}

TEST_F(SpinWatchTest, AWaitThatHasEndedIsForgotten) {
  for (int i = 0; i < 1000; ++i) met(0x1000);
  ++calls;
  EXPECT_EQ(met(0x1000).count(), 0);
  EXPECT_FALSE(watch.suspects());
  for (int i = 0; i < 2; ++i) EXPECT_EQ(met(0x1000).count(), 0);
  EXPECT_EQ(met(0x1000), microseconds(150));
}

}  // namespace
}  // namespace virttdx::softhost
