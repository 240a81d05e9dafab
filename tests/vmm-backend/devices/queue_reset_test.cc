// SPDX-License-Identifier: GPL-2.0-or-later
// VIRTIO_F_RING_RESET: a driver takes one queue back and sets it up again, the device and its other queues
// run.
#include <gtest/gtest.h>

#include "counted_entropy.h"
#include "devices/virtio_blk/virtio_blk.h"
#include "devices/virtio_console/virtio_console.h"
#include "devices/virtio_net/virtio_net.h"
#include "devices/virtio_rng/virtio_rng.h"
#include "echo_device.h"
#include "manual_worker.h"
#include "memory_disk.h"
#include "memory_network.h"
#include "memory_port.h"
#include "virtio_driver.h"

namespace virttdx {
namespace {

using namespace virtio_pci_spec;
using virtio_spec::kFeatureRingReset;

constexpr std::uint64_t kData = test::VirtioDriver::kBuffers;

struct QueueResetTest : testing::Test {
  QueueResetTest() { device.has_queue_reset = true; }
  test::EchoDevice device;
  test::VirtioDriver driver{device};
};

TEST_F(QueueResetTest, IsOfferedByDevicesThatCanDoIt) {
  EXPECT_NE(driver.offered_features() & kFeatureRingReset, 0U);
  device.has_queue_reset = false;
  EXPECT_EQ(driver.offered_features() & kFeatureRingReset, 0U);
}

TEST_F(QueueResetTest, ForgetsOneQueueAndTakesItAgain) {
  ASSERT_TRUE(driver.start(kFeatureRingReset));
  Virtqueue* const other = device.session->queues[1];
  driver.reset_queue(0);
  EXPECT_EQ(device.session->queues[0], nullptr);
  EXPECT_EQ(driver.common<std::uint16_t>(kQueueVector), kNoVector);
  EXPECT_EQ(driver.common<std::uint16_t>(kQueueSize), 256);
  driver.set_common<std::uint16_t>(kQueueSize, 16);
  driver.set_up_queue(0);
  ASSERT_NE(device.session->queues[0], nullptr);
  EXPECT_EQ(device.session->queues[0]->size(), 16);
  EXPECT_EQ(driver.common<std::uint16_t>(kQueueEnable), 1);
  EXPECT_EQ(device.session->queues[1], other);
  EXPECT_EQ(device.starts, 1);
  EXPECT_EQ(driver.status(), 0x0F);
}

TEST_F(QueueResetTest, IsNothingWithoutTheFeatureOrAStartedDevice) {
  ASSERT_TRUE(driver.start(0));
  driver.set_common<std::uint16_t>(kQueueSelect, 0);
  driver.set_common<std::uint16_t>(kQueueReset, 1);
  EXPECT_EQ(driver.common<std::uint16_t>(kQueueEnable), 1);
  EXPECT_NE(device.session->queues[0], nullptr);
  driver.set_status(0);
  driver.set_common<std::uint16_t>(kQueueReset, 1);
  EXPECT_FALSE(device.session);
}

TEST_F(QueueResetTest, AQueueThatCannotBeTakenAgainMakesTheDeviceNeedAReset) {
  ASSERT_TRUE(driver.start(kFeatureRingReset));
  driver.reset_queue(0);
  driver.set_common<std::uint32_t>(kQueueDescriptors, 0x7FFFFFF0);
  driver.set_common<std::uint16_t>(kQueueEnable, 1);
  EXPECT_EQ(driver.status(), 0x0F | virtio_spec::kNeedsReset);
  EXPECT_EQ(device.session->queues[0], nullptr);
  driver.reset_queue(0);
  driver.set_up_queue(0);  // only a reset of the device helps
  EXPECT_EQ(device.session->queues[0], nullptr);
  EXPECT_TRUE(driver.start(kFeatureRingReset));
  EXPECT_EQ(driver.status(), 0x0F);
}

TEST_F(QueueResetTest, OfADeviceThatNeverStartedReachesItNot) {
  driver.set_status(3);
  driver.accept_features(test::kNecessaryFeatures | kFeatureRingReset);
  driver.set_status(3 | virtio_spec::kFeaturesOk);
  driver.set_up_queue(0);
  driver.set_common<std::uint16_t>(kQueueSelect, 1);
  driver.set_common<std::uint32_t>(kQueueDescriptors, 0x7FFFFFF0);
  driver.set_common<std::uint16_t>(kQueueEnable, 1);
  driver.set_status(0x0F);
  ASSERT_EQ(driver.status(), 0x0F | virtio_spec::kNeedsReset);
  driver.reset_queue(0);
  EXPECT_EQ(device.starts, 0);
  EXPECT_FALSE(device.session);
}

TEST(AQueueResetOfAnEntropyDevice, GivesTheRequestsUp) {
  test::CountedEntropy source;
  VirtioRng device{source};
  test::VirtioDriver driver{device};
  ASSERT_TRUE(driver.start(kFeatureRingReset));
  source.left = 0;
  driver.queues[0].add({{kData, 8, true}});
  driver.notify(0);
  source.manual.pump();
  driver.reset_queue(0);
  source.left = 100;
  source.manual.run();
  EXPECT_FALSE(driver.queues[0].take_used());
  driver.set_up_queue(0);
  driver.queues[0].add({{kData, 8, true}});
  driver.notify(0);
  source.manual.pump();
  EXPECT_EQ(driver.queues[0].take_used()->written, 8U);
  EXPECT_EQ(driver.queue_interrupts(0), 1);
}

TEST(AQueueResetOfADisk, WaitsForItsOperationsAndLeavesTheOtherQueueAlone) {
  using namespace virtio_blk_spec;
  test::MemoryDisk disk({.capacity = 1U << 20, .queue_size = 64}, 2);
  VirtioBlk device{disk};
  test::VirtioDriver driver{device};
  const auto read = [&](std::uint16_t queue) {
    test::write_as<std::uint32_t>(driver.queues[queue], kData, kTypeIn);
    driver.queues[queue].add({{kData, 16}, {kData + 0x1000, 512, true}, {kData + 0x100, 1, true}});
    driver.notify(queue);
  };
  ASSERT_TRUE(driver.start(kFeatureRingReset));
  read(0);
  read(1);
  disk.pump_doorbells();
  driver.reset_queue(0);
  disk.pump();
  EXPECT_FALSE(driver.queues[0].take_used());
  EXPECT_TRUE(driver.queues[1].take_used());
  driver.set_up_queue(0);
  read(0);
  disk.pump();
  EXPECT_TRUE(driver.queues[0].take_used());
}

struct NetworkQueueResetTest : testing::Test {
  void notify(std::uint16_t queue) {
    driver.notify(queue);
    for (auto& worker : network.queues) worker.manual.pump();
  }
  void send(const std::string& frame) {
    const std::string packet = std::string(virtio_net_spec::kHeaderSize, '\0') + frame;
    driver.write_memory(kData, std::as_bytes(std::span(packet)));
    driver.queues[1].add({{kData, static_cast<std::uint32_t>(packet.size())}});
    notify(1);
  }
  test::MemoryNetwork network{2};
  VirtioNet device{network};
  test::VirtioDriver driver{device};
};

TEST_F(NetworkQueueResetTest, LosesThePacketThatWaitedToBeSent) {
  ASSERT_TRUE(driver.start(kFeatureRingReset));
  network.queues[0].answer = PacketQueue::Sent::Later;
  send("first");
  driver.reset_queue(1);
  network.queues[0].answer = PacketQueue::Sent::Yes;
  network.queues[0].manual.run();
  EXPECT_TRUE(network.queues[0].sent.empty());
  driver.set_up_queue(1);
  send("second");
  EXPECT_EQ(network.queues[0].sent, std::vector<std::string>{"second"});
  EXPECT_TRUE(driver.queues[1].take_used());
}

TEST_F(NetworkQueueResetTest, ReceivesIntoTheBuffersOfTheNewQueue) {
  ASSERT_TRUE(driver.start(kFeatureRingReset));
  driver.queues[0].add({{kData, 2048, true}});
  notify(0);
  driver.reset_queue(0);
  network.queues[0].waiting.push_back("frame");
  network.queues[0].manual.run();
  EXPECT_FALSE(driver.queues[0].take_used());
  driver.set_up_queue(0);
  driver.queues[0].add({{kData + 0x1000, 2048, true}});
  notify(0);
  EXPECT_EQ(driver.queues[0].take_used()->written, virtio_net_spec::kHeaderSize + 5);
}

TEST(AQueueResetOfAConsole, LosesTheOutputThatWaited) {
  test::ManualWorker worker;
  test::MemoryPort port;
  VirtioConsole device{worker, 1, {{0, true, "", &port}}};
  test::VirtioDriver driver{device};
  const auto send = [&](std::string_view text) {
    driver.write_memory(kData, std::as_bytes(std::span(text)));
    driver.queues[1].add({{kData, static_cast<std::uint32_t>(text.size())}});
    driver.notify(1);
    worker.pump();
  };
  ASSERT_TRUE(driver.start(kFeatureRingReset));
  port.room = 2;
  send("first");
  driver.reset_queue(1);
  port.room = SIZE_MAX;
  worker.run();
  EXPECT_EQ(port.written, "fi");
  driver.set_up_queue(1);
  send("second");
  EXPECT_EQ(port.written, "fisecond");
  EXPECT_TRUE(driver.queues[1].take_used());
}

}  // namespace
}  // namespace virttdx
