// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/engine_kicker.h"

#include <gtest/gtest.h>

#include <thread>

namespace virttdx::softhost {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct EngineKickerTest : testing::Test {
  EngineInternals engine;  // never inside
  EngineKicker kicker{engine};
};

TEST_F(EngineKickerTest, AKickEndsARest) {
  kicker.begin_round();
  std::thread other([&] { kicker.kick(); });
  kicker.rest(24h);
  other.join();
  EXPECT_TRUE(kicker.wanted());
}

TEST_F(EngineKickerTest, AKickOfTheSameRoundLeavesNoRest) {
  kicker.begin_round();
  kicker.kick();
  kicker.rest(24h);
}

TEST_F(EngineKickerTest, AKickOfTheLastRoundDoesNotEndARest) {
  kicker.kick();
  kicker.begin_round();
  const auto begin = Clock::now();
  kicker.rest(5ms);
  EXPECT_GE(Clock::now() - begin, 5ms);
}

TEST_F(EngineKickerTest, TheDeadlineEndsARest) {
  kicker.begin_round();
  kicker.set_deadline(static_cast<std::uint64_t>((Clock::now() + 5ms).time_since_epoch().count()));
  kicker.rest(24h);
}

}  // namespace
}  // namespace virttdx::softhost
