// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain/job_queue.h"

#include <gtest/gtest.h>

#include <QCoreApplication>
#include <vector>

namespace virttdx::driver {
namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""ms;

class AJobQueue : public testing::Test {
 protected:
  JobQueue::Work work(std::string name) {
    return [this, name = std::move(name)](Result<JobQueue::Turn> turn) {
      order_.push_back(turn ? name : name + " late");
      if (turn) held_.push_back(*std::move(turn));
      if (!turn) error_ = turn.error().message();
    };
  }
  void run_until(std::size_t count) {
    while (order_.size() < count) QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents, 100);
  }

  int argument_count_ = 0;
  QCoreApplication application_{argument_count_, nullptr};
  // What the queue leaves to the event loop.
  struct LastEvents {
    ~LastEvents() { QCoreApplication::processEvents(); }
  } last_events_;
  std::vector<std::string> order_;
  std::vector<JobQueue::Turn> held_;
  std::string error_;
  JobQueue queue_{"monitor"};
};

TEST_F(AJobQueue, RunsTheFirstJobAtOnce) {
  queue_.run("one", 1h, work("one"));
  EXPECT_EQ(order_, std::vector<std::string>{"one"});
  EXPECT_EQ(queue_.holder()->name, "one");
}

TEST_F(AJobQueue, RunsOneAfterTheOther) {
  for (const auto* name : {"one", "two", "three"}) queue_.run(name, 1h, work(name));
  QCoreApplication::processEvents();
  EXPECT_EQ(order_.size(), 1U);
  held_.clear();
  run_until(2);
  EXPECT_EQ(queue_.holder()->name, "two");
  held_.clear();
  run_until(3);
  EXPECT_EQ(order_, (std::vector<std::string>{"one", "two", "three"}));
  held_.clear();
  EXPECT_FALSE(queue_.holder());
}

TEST_F(AJobQueue, LetsNobodyPassThoseWhoWait) {
  queue_.run("one", 1h, work("one"));
  queue_.run("two", 1h, work("two"));
  held_.clear();
  queue_.run("three", 1h, work("three"));
  run_until(2);
  EXPECT_EQ(order_.back(), "two");
}

TEST_F(AJobQueue, TellsWhoWaitedTooLongWhoHoldsTheDomain) {
  queue_.run("remoteDispatchDomainCreate", 1h, work("one"));
  queue_.run("two", 1ms, work("two"));
  run_until(2);
  EXPECT_EQ(order_.back(), "two late");
  EXPECT_EQ(error_, "cannot acquire state change lock (held by monitor=remoteDispatchDomainCreate)");
  held_.clear();
  queue_.run("three", 1h, work("three"));
  EXPECT_EQ(order_.back(), "three");
}

TEST_F(AJobQueue, MayEndBeforeItsJobs) {
  auto queue = std::make_unique<JobQueue>("monitor");
  queue->run("one", 1h, work("one"));
  queue.reset();
  held_.clear();
  QCoreApplication::processEvents();
}

}  // namespace
}  // namespace virttdx::driver
