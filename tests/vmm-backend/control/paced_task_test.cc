// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/paced_task.h"

#include <gtest/gtest.h>

namespace virttdx {
namespace {

using namespace std::chrono_literals;

struct PacedTaskTest : testing::Test {
  std::unique_ptr<PacedTask> paced(std::chrono::milliseconds period) {
    return PacedTask::create(*loop, period, [this] { ++runs; }).value();
  }
  std::unique_ptr<EventLoop> loop = EventLoop::create().value();
  int runs = 0;
};

TEST_F(PacedTaskTest, RunsAtOnceAndThenOnceForAllThatAskInAPeriod) {
  const auto task = paced(20ms);
  task->request();
  EXPECT_EQ(runs, 1);
  for (int i = 0; i < 100; ++i) task->request();
  EXPECT_EQ(runs, 1);
  while (runs == 1) loop->run_once(-1ms);
  EXPECT_EQ(runs, 2);
}

TEST_F(PacedTaskTest, RunsAtOnceAgainWhenAPeriodHasPassedThatNobodyAskedIn) {
  const auto task = paced(1ms);
  task->request();
  loop->run_once(-1ms);
  task->request();
  EXPECT_EQ(runs, 2);
}

TEST_F(PacedTaskTest, LeavesItsLoopWhenItIsGone) {
  paced(1ms)->request();
  loop->post([this] { loop->stop(); });
  loop->run();
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace virttdx
