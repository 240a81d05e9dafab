// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio_rng/virtio_rng.h"

#include <gtest/gtest.h>

#include "counted_entropy.h"
#include "virtio_driver.h"

namespace virttdx {
namespace {

constexpr std::uint64_t kData = test::VirtioDriver::kBuffers;

struct VirtioRngTest : testing::Test {
  void ask(const std::vector<test::DriverBuffer>& buffers) {
    driver.queues[0].add(buffers);
    driver.notify(0);
    source.manual.pump();
  }
  test::CountedEntropy source;
  VirtioRng device{source};
  test::VirtioDriver driver{device};
};

TEST_F(VirtioRngTest, FillsEveryBufferOfARequest) {
  ASSERT_TRUE(driver.start(0));
  ask({{kData, 8, true}, {kData + 0x100, 8, true}});
  EXPECT_EQ(driver.queues[0].take_used()->written, 16U);
  EXPECT_EQ(driver.memory.bytes[kData + 7], std::byte{7});
  EXPECT_EQ(driver.memory.bytes[kData + 0x107], std::byte{7});
  EXPECT_EQ(driver.memory.bytes[kData + 8], std::byte{0});
  EXPECT_EQ(driver.queue_interrupts(0), 1);
}

TEST_F(VirtioRngTest, ARequestGetsAtMostAPage) {
  ASSERT_TRUE(driver.start(0));
  ask({{kData, 0x8000, true}});
  EXPECT_EQ(driver.queues[0].take_used()->written, 4096U);
}

TEST_F(VirtioRngTest, RequestsWaitUntilThereIsEntropyAgain) {
  ASSERT_TRUE(driver.start(0));
  source.left = 3;
  ask({{kData, 8, true}});
  EXPECT_EQ(driver.queues[0].take_used()->written, 3U);
  ask({{kData, 8, true}});
  EXPECT_FALSE(driver.queues[0].take_used());
  source.left = 8;
  source.manual.run();
  EXPECT_EQ(driver.queues[0].take_used()->written, 8U);
}

TEST_F(VirtioRngTest, ARequestWithoutABufferBreaksTheDeviceUntilItsReset) {
  ASSERT_TRUE(driver.start(0));
  ask({{kData, 8}});
  EXPECT_NE(driver.status() & virtio_spec::kNeedsReset, 0);
  ASSERT_TRUE(driver.start(0));
  ask({{kData, 8, true}});
  EXPECT_TRUE(driver.queues[0].take_used());
}

}  // namespace
}  // namespace virttdx
