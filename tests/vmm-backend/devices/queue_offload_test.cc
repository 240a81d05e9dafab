// SPDX-License-Identifier: GPL-2.0-or-later
// Devices whose queues somebody else works on.
#include <gtest/gtest.h>

#include "devices/virtio_net/virtio_net.h"
#include "devices/virtio_vsock/offloaded_vsock.h"
#include "devices/virtio_vsock/virtio_vsock_spec.h"
#include "memory_network.h"
#include "recorded_offload.h"
#include "virtio_driver.h"

namespace virttdx {
namespace {

using Calls = std::vector<std::string>;

struct AnOffloadedNetwork : testing::Test {
  AnOffloadedNetwork() { network.offloaded = &offload; }
  test::RecordedOffload offload;
  test::MemoryNetwork network{2};  ///< the first pair is offloaded
  VirtioNet device{network};
  test::VirtioDriver driver{device};
};

TEST_F(AnOffloadedNetwork, IsHandedToWhoWorksOnItWithWhatTheDriverNegotiated) {
  ASSERT_TRUE(driver.start(virtio_net_spec::kFeatureMergeableBuffers));
  EXPECT_EQ(offload.calls, (Calls{"start", "active"}));
  EXPECT_EQ(offload.started_features, virtio_net_spec::kFeatureMergeableBuffers | test::kNecessaryFeatures);
  ASSERT_EQ(offload.started_queues.size(), 2U);
  driver.notify(1);
  EXPECT_EQ(offload.rings(0), 0U);
  EXPECT_EQ(offload.rings(1), 1U);
  EXPECT_EQ(device.call(1), offload.call(1));
  EXPECT_EQ(device.call(3), -1);
  offload.started_queues[1]->interrupt();
  EXPECT_EQ(driver.queue_interrupts(1), 1);
  driver.set_status(0);
  EXPECT_EQ(offload.calls, (Calls{"start", "active", "stop"}));
}

TEST_F(AnOffloadedNetwork, RestsWhileItsLinkIsDown) {
  ASSERT_TRUE(driver.start(virtio_net_spec::kFeatureStatus));
  network.link().set(false);
  EXPECT_EQ(offload.calls, (Calls{"start", "active", "rest"}));
  EXPECT_EQ(driver.config_interrupts(), 1);
  ASSERT_TRUE(driver.start(0));
  EXPECT_EQ(offload.calls.back(), "rest");
  network.link().set(true);
  EXPECT_EQ(offload.calls.back(), "active");
}

TEST_F(AnOffloadedNetwork, StillServesItsControlQueueAndOtherPairs) {
  ASSERT_TRUE(driver.start(virtio_net_spec::kFeatureControlQueue | virtio_net_spec::kFeatureMultiQueue));
  constexpr std::uint64_t kCommand = test::VirtioDriver::kBuffers;
  auto& control = driver.queues[4];
  test::write_as<std::uint8_t>(control, kCommand, virtio_net_spec::kControlMultiQueue);
  test::write_as<std::uint8_t>(control, kCommand + 1, virtio_net_spec::kControlQueuePairsSet);
  test::write_as<std::uint16_t>(control, kCommand + 2, 2);
  control.add({{kCommand, 4}, {kCommand + 8, 1, true}});
  driver.notify(4);
  network.queues[0].manual.pump();
  EXPECT_TRUE(control.take_used());
  EXPECT_EQ(network.active, 2U);
  driver.queues[3].add({{kCommand, 32}});
  driver.notify(3);
  network.queues[1].manual.pump();
  EXPECT_TRUE(driver.queues[3].take_used());
}

TEST_F(AnOffloadedNetwork, NeedsAResetWhenNobodyTakesItsQueues) {
  offload.error = "VHOST_SET_VRING_ADDR: Bad address";
  ASSERT_TRUE(driver.start(0));
  EXPECT_NE(driver.status() & virtio_spec::kNeedsReset, 0);
}

TEST(AnOffloadedVsock, HasTheContextIdAndFeaturesOfWhoServesIt) {
  test::RecordedOffload offload;
  OffloadedVsock device(
      {.queues = &offload, .guest_cid = 42, .features = virtio_vsock_spec::kFeatureSequencedPackets});
  test::VirtioDriver driver(device);
  EXPECT_EQ(driver.device_config<std::uint64_t>(0), 42U);
  EXPECT_EQ(driver.offered_features() & 0xFF, virtio_vsock_spec::kFeatureSequencedPackets);
  ASSERT_TRUE(driver.start(0));
  EXPECT_EQ(offload.calls, (Calls{"start", "active"}));
  EXPECT_EQ(offload.started_queues.size(), 2U);
  driver.notify(0);
  EXPECT_EQ(offload.rings(0), 1U);
  EXPECT_EQ(device.call(1), offload.call(1));
  EXPECT_EQ(device.call(2), -1);  // events: nobody sends any
  driver.set_status(0);
  EXPECT_EQ(offload.calls.back(), "stop");
}

}  // namespace
}  // namespace virttdx
