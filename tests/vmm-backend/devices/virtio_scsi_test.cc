// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio_scsi/virtio_scsi.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "devices/scsi/big_endian.h"
#include "manual_worker.h"
#include "memory_medium.h"
#include "virtio_driver.h"

namespace virttdx {
namespace {

using namespace virtio_scsi_spec;
using namespace scsi_spec;

constexpr std::uint64_t kRequest = test::VirtioDriver::kBuffers, kAnswer = kRequest + 0x1000,
                        kData = kRequest + 0x2000;
constexpr std::uint32_t kRequestSize = kRequestCdb + kCdbSizeAtReset,
                        kAnswerSize = kResponseHeader + kSenseSizeAtReset;

struct AScsiHost : testing::Test {
  AScsiHost() { EXPECT_TRUE(driver.start(0)); }
  /// Asks for `size` bytes of data; what the driver's queue gives back.
  std::optional<test::DriverQueue::Used> ask(std::vector<unsigned> lun, std::vector<unsigned> command,
                                             std::uint32_t size = 0) {
    std::vector<std::byte> request(kRequestSize);
    for (std::size_t i = 0; i < lun.size(); ++i) request.at(i) = static_cast<std::byte>(lun[i]);
    for (std::size_t i = 0; i < command.size(); ++i)
      request.at(kRequestCdb + i) = static_cast<std::byte>(command[i]);
    driver.write_memory(kRequest, request);
    std::vector<test::DriverBuffer> buffers = {{kRequest, kRequestSize}, {kAnswer, kAnswerSize, true}};
    if (size > 0) buffers.push_back({kData, size, true});
    return send(kQueueRequest, buffers);
  }
  std::optional<test::DriverQueue::Used> send(std::size_t queue,
                                              const std::vector<test::DriverBuffer>& buffers) {
    driver.queues[queue].add(buffers);
    driver.notify(static_cast<std::uint16_t>(queue));
    worker.pump();
    return driver.queues[queue].take_used();
  }
  std::span<const std::byte> bytes(std::uint64_t address, std::size_t size) {
    return std::span(driver.memory.bytes).subspan(address, size);
  }
  std::uint8_t response() { return std::to_integer<std::uint8_t>(bytes(kAnswer, 12)[kResponseResponse]); }
  std::uint8_t status() { return std::to_integer<std::uint8_t>(bytes(kAnswer, 12)[kResponseStatus]); }
  std::uint32_t residual() { return load_le<std::uint32_t>(bytes(kAnswer, 12), kResponseResidual); }

  test::ManualWorker worker;
  std::shared_ptr<test::MemoryMedium> in_both = std::make_shared<test::MemoryMedium>(20 * 2048);
  test::MemoryMedium& medium = *in_both;
  CdromTray tray{in_both}, empty{nullptr}, other_tray{in_both};
  VirtioScsi device{worker,
                    2,
                    {{.target = 0, .lun = 0, .tray = &tray, .serial = "one"},
                     {.target = 0, .lun = 3, .tray = &empty, .serial = ""},
                     {.target = 5, .lun = 1, .tray = &other_tray, .serial = "two"}}};
  test::VirtioDriver driver{device};
};

TEST_F(AScsiHost, ReadsBlocksOfTheMedium) {
  const auto used = ask({1, 0}, {kRead10, 0, 0, 0, 0, 7, 0, 0, 2}, 4096);
  EXPECT_EQ(used->written, kAnswerSize + 4096);
  EXPECT_EQ(response(), kOk);
  EXPECT_EQ(status(), kStatusGood);
  EXPECT_EQ(bytes(kData, 1)[0], std::byte{7});
  EXPECT_EQ(bytes(kData + 4095, 1)[0], std::byte{8});
}

TEST_F(AScsiHost, SaysWhenBuffersAreLargerOrSmallerThanTheData) {
  ask({1, 0}, {kRead10, 0, 0, 0, 0, 0, 0, 0, 1}, 5000);
  EXPECT_EQ(response(), kOk);
  EXPECT_EQ(residual(), 5000U - 2048);
  ask({1, 0}, {kRead10, 0, 0, 0, 0, 0, 0, 0, 2}, 2048);
  EXPECT_EQ(response(), kOverrun);
  ask({1, 0}, {kInquiry, 0, 0, 0, 36}, 255);
  EXPECT_EQ(residual(), 255U - 36);
}

TEST_F(AScsiHost, GivesSenseWithTheStatus) {
  ask({1, 0, 0, 3}, {kTestUnitReady});
  EXPECT_EQ(status(), kStatusCheckCondition);
  EXPECT_EQ(load_le<std::uint32_t>(bytes(kAnswer, 4), 0), kSenseSize);
  EXPECT_EQ(bytes(kAnswer + kResponseHeader + kSenseCode, 1)[0], std::byte{kCodeNoMedium});
  medium.error = 5;
  ask({1, 0}, {kRead10, 0, 0, 0, 0, 0, 0, 0, 1}, 2048);
  EXPECT_EQ(status(), kStatusCheckCondition);
  EXPECT_EQ(bytes(kAnswer + kResponseHeader + kSenseKey, 1)[0], std::byte{kKeyMediumError});
  medium.error = ETIMEDOUT;
  ask({1, 0}, {kRead10, 0, 0, 0, 0, 0, 0, 0, 1}, 2048);
  EXPECT_EQ(bytes(kAnswer + kResponseHeader + kSenseKey, 1)[0], std::byte{kKeyNotReady});
  EXPECT_EQ(bytes(kAnswer + kResponseHeader + kSenseCode, 1)[0], std::byte{kCodeNotReady});
  EXPECT_EQ(bytes(kAnswer + kResponseHeader + kSenseQualifier, 1)[0], std::byte{kQualifierBecomingReady});
}

TEST_F(AScsiHost, ReadsTheMediumThatLiesInTheDriveNow) {
  tray.open_from_outside(false);
  auto another = std::make_shared<test::MemoryMedium>(4 * 2048);
  another->bytes[2048] = std::byte{0xAB};
  ASSERT_TRUE(tray.close_with(another));
  ask({1, 0}, {kRead10, 0, 0, 0, 0, 1, 0, 0, 1}, 2048);
  EXPECT_EQ(status(), kStatusCheckCondition) << "the guest is told before it reads";
  ask({1, 0}, {kRead10, 0, 0, 0, 0, 1, 0, 0, 1}, 2048);
  EXPECT_EQ(status(), kStatusGood);
  EXPECT_EQ(bytes(kData, 1)[0], std::byte{0xAB});
}

TEST_F(AScsiHost, UnlocksItsTraysWithEachDriver) {
  ask({1, 0}, {kPreventRemoval, 0, 0, 0, 1});
  EXPECT_TRUE(tray.look().is_locked);
  device.stop();
  EXPECT_TRUE(driver.start(0));
  EXPECT_FALSE(tray.look().is_locked);
}

TEST_F(AScsiHost, FindsUnitsAndTheirTargets) {
  ask({1, 0}, {kReportLuns, 0, 0, 0, 0, 0, 0, 0, 0, 255}, 255);
  EXPECT_EQ(load_be<std::uint32_t>(bytes(kData, 4), 0), 16U) << "LUN 0 and LUN 3";
  EXPECT_EQ(load_be<std::uint16_t>(bytes(kData + 16, 2), 0), 3U);
  ask({1, 5}, {kInquiry, 0, 0, 0, 36}, 36);
  EXPECT_EQ(bytes(kData, 1)[0], std::byte{kTypeNoUnit}) << "LUN 0 leads to LUN 1";
  ask({1, 5, 0x40, 1}, {kInquiry, 0, 0, 0, 36}, 36);
  EXPECT_EQ(bytes(kData, 1)[0], std::byte{kTypeCdrom});
  ask({1, 5}, {kTestUnitReady});
  EXPECT_EQ(status(), kStatusCheckCondition);
  ask({1, 9}, {kTestUnitReady});
  EXPECT_EQ(response(), kBadTarget);
  ask({0xC1, 1}, {kReportLuns, 0, 0, 0, 0, 0, 0, 0, 0, 255}, 255);
  EXPECT_EQ(response(), kBadTarget);
}

TEST_F(AScsiHost, AnswersTaskManagement) {
  std::vector<std::byte> request(kTaskManagementSize);
  request[kTaskManagementLun] = std::byte{1};
  driver.write_memory(kRequest, request);
  EXPECT_EQ(send(kQueueControl, {{kRequest, kTaskManagementSize}, {kAnswer, 1, true}})->written, 1U);
  EXPECT_EQ(bytes(kAnswer, 1)[0], std::byte{kFunctionComplete});
  request[kTaskManagementLun + 1] = std::byte{77};
  driver.write_memory(kRequest, request);
  send(kQueueControl, {{kRequest, kTaskManagementSize}, {kAnswer, 1, true}});
  EXPECT_EQ(bytes(kAnswer, 1)[0], std::byte{kIncorrectLun});
}

TEST_F(AScsiHost, IsBrokenByARequestWithoutAHeader) {
  EXPECT_FALSE(send(kQueueRequest, {{kRequest, 10}, {kAnswer, kAnswerSize, true}}));
  EXPECT_NE(driver.status() & virtio_spec::kNeedsReset, 0);
  ASSERT_TRUE(driver.start(0));
  EXPECT_FALSE(send(kQueueRequest, {{kRequest, kRequestSize}, {kAnswer, kAnswerSize - 1, true}}));
}

TEST_F(AScsiHost, TakesTheSenseSizeThatADriverWrites) {
  driver.set_status(0);
  driver.set_device_config<std::uint32_t>(kConfigSenseSize, 1 << 20);
  EXPECT_EQ(driver.device_config<std::uint32_t>(kConfigSenseSize), 256U);
  EXPECT_EQ(driver.device_config<std::uint32_t>(kConfigQueues), 2U);
  ASSERT_TRUE(driver.start(0));
  EXPECT_EQ(driver.device_config<std::uint32_t>(kConfigSenseSize), 96U) << "back by a reset";
}

/// A worker whose task ends before another one is set, as on a thread of its own.
class PatientWorker final : public QueueWorker {
 public:
  int doorbell() const override { return -1; }
  void set_task(std::function<void()> task) override {
    std::unique_lock lock(mutex);
    is_asked_to_end = task == nullptr;
    changed.notify_all();
    changed.wait(lock, [this] { return !is_running; });
    task_ = std::move(task);
  }
  void run() {
    {
      const std::lock_guard lock(mutex);
      is_running = true;
    }
    task_();
    const std::lock_guard lock(mutex);
    is_running = false;
    changed.notify_all();
  }
  std::mutex mutex;
  std::condition_variable changed;
  bool is_running = false, is_asked_to_end = false;

 private:
  std::function<void()> task_;
};

/// Somebody stops the device while it is read.
struct StoppedMedium final : ScsiMedium {
  explicit StoppedMedium(PatientWorker& used) : worker(used) {}
  std::uint64_t size() const override { return 20 * 2048; }
  int read(std::uint64_t, std::span<const iovec>) override {
    ++reads;
    stopper = std::thread(stop);
    std::unique_lock lock(worker.mutex);
    worker.changed.wait(lock, [this] { return worker.is_asked_to_end; });
    return 0;
  }
  PatientWorker& worker;
  std::function<void()> stop;
  std::thread stopper;
  int reads = 0;
};

TEST(AScsiHostThatIsStopped, ReadsForNoRequestThatWaits) {
  PatientWorker worker;
  const auto stopped = std::make_shared<StoppedMedium>(worker);
  StoppedMedium& medium = *stopped;
  CdromTray tray(stopped);
  VirtioScsi device(worker, 1, {{.target = 0, .lun = 0, .tray = &tray, .serial = ""}});
  test::VirtioDriver driver(device);
  ASSERT_TRUE(driver.start(0));
  medium.stop = [&] { device.stop(); };
  std::vector<std::byte> request(kRequestSize);
  request[0] = std::byte{1};
  request[kRequestCdb] = std::byte{kRead10};
  request[kRequestCdb + 8] = std::byte{1};
  driver.write_memory(kRequest, request);
  for (int i = 0; i < 3; ++i)
    driver.queues[kQueueRequest].add(
        {{kRequest, kRequestSize}, {kAnswer, kAnswerSize, true}, {kData, 2048, true}});
  worker.run();
  medium.stopper.join();
  EXPECT_EQ(medium.reads, 1);
}

}  // namespace
}  // namespace virttdx
