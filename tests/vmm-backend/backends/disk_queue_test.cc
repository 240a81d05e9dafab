// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/disk_queue.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <deque>

#include "disk_client.h"

namespace virttdx {
namespace {

using Kind = BlockOperation::Kind;
constexpr std::uint64_t kSecond = 1'000'000'000;

BlockOperation write_of(std::uint64_t size, std::uint32_t token = 0) {
  return {.kind = Kind::Write, .size = size, .token = token};
}

DiskLimits limits_of(DiskRate DiskLimits::*which, const DiskRate& rate) {
  DiskLimits limits;
  limits.*which = rate;
  return limits;
}

DiskConfig disk(DiskErrorPolicy on_read = DiskErrorPolicy::Report,
                DiskErrorPolicy on_write = DiskErrorPolicy::EnospaceStop) {
  DiskConfig config;
  config.id = "virtio-disk0";
  config.target = "vda";
  config.on_read_error = on_read;
  config.on_write_error = on_write;
  return config;
}

TEST(ADiskLimiter, LetsATenthOfASecondBeginAtOnceAndTheRestInItsTime) {
  DiskLimiter limiter(limits_of(&DiskLimits::total_bytes, {.per_second = 1000}));
  EXPECT_EQ(limiter.admit(write_of(600), 1), 0U);
  // What is over drains at 1000 a second: 500 above a grace of 100.
  EXPECT_EQ(limiter.admit(write_of(1), 1), kSecond / 2);
  EXPECT_EQ(limiter.admit(write_of(1), 1 + kSecond / 2), 0U);
}

TEST(ADiskLimiter, HasBurstsAsLongAsTheyMayLast) {
  DiskLimiter limiter(
      limits_of(&DiskLimits::write_bytes, {.per_second = 100, .maximum = 1000, .maximum_seconds = 3}));
  std::uint64_t now = 1, written = 0;
  while (now < 60 * kSecond) {
    const auto wait = limiter.admit(write_of(10), now);
    if (wait == 0) written += 10;
    now += wait;
    if (now > 2 * kSecond && now < 3 * kSecond && written > 0) {
      // In a burst: the maximum a second, and a tenth of a second's worth more.
      EXPECT_LE(written, 3100U);
      EXPECT_GE(written, 1900U);
    }
  }
  EXPECT_GE(written, 3000U + 100 * 55);
  EXPECT_LE(written, 3100U + 100 * 60);
}

TEST(ADiskLimiter, CountsWhatALimitIsOf) {
  auto limits = limits_of(&DiskLimits::read_requests, {.per_second = 10});
  limits.request_unit_bytes = 4096;
  DiskLimiter limiter(limits);
  EXPECT_EQ(limiter.admit({.kind = Kind::Read, .size = 8 * 4096}, 1), 0U);
  EXPECT_EQ(limiter.admit({.kind = Kind::Read, .size = 512}, 1), 7 * kSecond / 10);
  EXPECT_EQ(limiter.admit(write_of(1 << 20), 1), 0U);
  EXPECT_EQ(limiter.admit({.kind = Kind::Flush}, 1), 0U);
  limiter.set({});
  EXPECT_EQ(limiter.admit({.kind = Kind::Read, .size = 8 * 4096}, 1), 0U);
}

/// Ends everything at once, as `error` says.
struct InstantEngine final : DiskEngine {
  explicit InstantEngine(std::deque<int>& error_list) : errors(error_list) {}
  int event() const override { return -1; }
  void submit(const BlockOperation& operation) override {
    const int error = errors.empty() ? 0 : errors.front();
    if (!errors.empty()) errors.pop_front();
    done_.push_back({operation.token, error});
  }
  void flush() override {}
  void reap(std::vector<BlockCompletion>& done, bool) override {
    done.insert(done.end(), done_.begin(), done_.end());
    done_.clear();
  }
  std::size_t in_flight() const override { return done_.size(); }
  std::deque<int>& errors;
  std::vector<BlockCompletion> done_;
};

struct ADiskQueue : testing::Test {
  void open(const DiskConfig& config) {
    errors = std::make_unique<DiskErrors>(config, [this](MonitorEvent event, std::function<void()> taken) {
      const std::lock_guard lock(mutex);
      events.push_back(std::move(event));
      told.push_back(std::move(taken));
      changed.notify_all();
    });
    limiter.set(config.limits);
    queue = std::move(
        *DiskQueue::create({.queue_size = 16, .counters = counters, .errors = *errors, .limiter = limiter},
                           std::make_unique<InstantEngine>(outcomes), "test"));
    client = std::make_unique<test::DiskClient>(*queue);
  }
  MonitorEvent wait_for_event() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return !events.empty(); });
    return events.front();
  }
  std::deque<int> outcomes;
  DiskCounters counters;
  DiskLimiter limiter;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<MonitorEvent> events;
  std::vector<std::function<void()>> told;
  std::unique_ptr<DiskErrors> errors;
  std::unique_ptr<DiskQueue> queue;
  std::unique_ptr<test::DiskClient> client;
};

TEST_F(ADiskQueue, HoldsWhatFoundNoSpaceUntilItIsTriedAgain) {
  outcomes = {ENOSPC, ENOSPC};
  open(disk());
  client->begin({write_of(512, 3)});
  const auto event = wait_for_event();
  EXPECT_EQ(event.kind, MonitorEventKind::IoError);
  EXPECT_EQ(event.device, "virtio-disk0");
  EXPECT_EQ(event.io_error, (IoError{IoErrorAction::Stop, true}));
  EXPECT_EQ(event.message, "disk 'vda': a write of 512 bytes at 0 failed: No space left on device");
  EXPECT_EQ(errors->status(), DiskIoStatus::NoSpace);
  // Still none: held again.
  queue->retry();
  EXPECT_EQ(errors->status(), DiskIoStatus::NoSpace);
  errors->retrying();
  queue->retry();
  EXPECT_EQ(client->wait(1), 0);
  EXPECT_EQ(errors->status(), DiskIoStatus::Ok);
  EXPECT_EQ(counters.snapshot().errors, 2U);
}

TEST_F(ADiskQueue, TellsAnErrorOnceUntilItWasHeard) {
  outcomes = {EIO, EIO, EIO};
  open(disk());
  EXPECT_EQ(client->run({write_of(1)}), EIO);
  EXPECT_EQ(client->run({write_of(1)}), EIO);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].io_error, (IoError{IoErrorAction::Report, false}));
  told[0]();
  EXPECT_EQ(client->run({write_of(1)}), EIO);
  EXPECT_EQ(events.size(), 2U);
}

TEST_F(ADiskQueue, DoesWithErrorsOfReadsAndWritesWhatEachPolicySays) {
  outcomes = {EIO, EIO};
  open(disk(DiskErrorPolicy::Stop, DiskErrorPolicy::Ignore));
  EXPECT_EQ(client->run({write_of(1)}), 0);
  client->begin({{.kind = Kind::Read, .size = 1, .token = 1}});
  queue->retry();
  EXPECT_EQ(client->wait(1), 0);
}

TEST_F(ADiskQueue, DropsWhatItHoldsForAnotherClient) {
  outcomes = {EIO};
  open(disk(DiskErrorPolicy::Report, DiskErrorPolicy::Stop));
  client->begin({write_of(1, 5)});
  wait_for_event();
  client.reset();
  client = std::make_unique<test::DiskClient>(*queue);
  queue->retry();
  EXPECT_EQ(client->run({write_of(1, 5)}), 0);
}

TEST_F(ADiskQueue, BeginsWhatWaitsWhenItsLimitsAreLifted) {
  auto config = disk();
  config.limits = limits_of(&DiskLimits::total_requests, {.per_second = 1});
  open(config);
  // The first is above the grace by itself; a thousand take minutes.
  EXPECT_EQ(client->run({write_of(1, 0)}), 0);
  client->begin({write_of(1, 1), write_of(1, 2), {.kind = Kind::Flush, .token = 3}});
  limiter.set({});
  queue->limits_changed();
  EXPECT_EQ(client->wait(3), 0);
}

}  // namespace
}  // namespace virttdx
