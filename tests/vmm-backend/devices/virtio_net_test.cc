// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio_net/virtio_net.h"

#include <gtest/gtest.h>

#include "memory_network.h"
#include "virtio_driver.h"

namespace virttdx {
namespace {

using namespace virtio_net_spec;

constexpr std::uint64_t kData = test::VirtioDriver::kBuffers;
constexpr std::uint64_t kReceive = kData + 0x20000;

struct VirtioNetTest : testing::Test {
  void send(const std::string& frame, unsigned queue = 1) {
    const std::string packet = std::string(kHeaderSize, '\0') + frame;
    driver.write_memory(kData, std::as_bytes(std::span(packet)));
    driver.queues[queue].add(
        {{kData, kHeaderSize}, {kData + kHeaderSize, static_cast<std::uint32_t>(frame.size())}});
    notify(queue);
  }
  void notify(unsigned queue) {
    driver.notify(static_cast<std::uint16_t>(queue));
    for (auto& worker : network.queues) worker.manual.pump();
  }
  void give_room(std::uint32_t size, unsigned count) {
    for (unsigned i = 0; i < count; ++i) driver.queues[0].add({{kReceive + next_++ * 0x1000, size, true}});
    notify(0);
  }
  std::string memory_text(std::uint64_t address, std::size_t size) {
    return {reinterpret_cast<const char*>(driver.memory.bytes.data()) + address, size};
  }
  unsigned next_ = 0;
  test::MemoryNetwork network{2};
  VirtioNet device{network};
  test::VirtioDriver driver{device};
};

TEST_F(VirtioNetTest, DescribesItsInterface) {
  EXPECT_EQ(driver.config<std::uint32_t>(0), 0x10411AF4U);
  EXPECT_EQ(driver.device_config<std::uint32_t>(0), 0x01005452U);
  EXPECT_EQ(driver.device_config<std::uint16_t>(kConfigStatus), kStatusLinkUp);
  EXPECT_EQ(driver.device_config<std::uint16_t>(kConfigQueuePairs), 2);
  EXPECT_EQ(driver.device_config<std::uint16_t>(kConfigMtu), 9000);
  EXPECT_EQ(driver.common<std::uint16_t>(virtio_pci_spec::kQueueCount), 5);
  EXPECT_EQ(driver.offered_features() & 0xFFFFFF, 0x438829U);
}

TEST_F(VirtioNetTest, OffersNothingThatIsWithheld) {
  const auto all = driver.offered_features();
  network.values.withheld = kFeatureMergeableBuffers | kFeatureChecksum;
  network.values.event_index = false;
  EXPECT_EQ(driver.offered_features(),
            all & ~(kFeatureMergeableBuffers | kFeatureChecksum | virtio_spec::kFeatureEventIndex));
}

TEST_F(VirtioNetTest, SendsPackets) {
  ASSERT_TRUE(driver.start(kFeatureChecksum));
  EXPECT_EQ(network.offloads, kFeatureChecksum);
  send("first frame");
  send("on the other pair", 3);
  EXPECT_EQ(network.queues[0].sent, std::vector<std::string>{"first frame"});
  EXPECT_EQ(network.queues[1].sent, std::vector<std::string>{"on the other pair"});
  EXPECT_TRUE(driver.queues[1].take_used());
}

TEST_F(VirtioNetTest, APacketThatCannotGoYetIsSentLater) {
  ASSERT_TRUE(driver.start(0));
  network.queues[0].answer = PacketQueue::Sent::Later;
  send("frame");
  EXPECT_FALSE(driver.queues[1].take_used());
  network.queues[0].answer = PacketQueue::Sent::Yes;
  network.queues[0].manual.run();
  EXPECT_EQ(network.queues[0].sent.size(), 1U);
  EXPECT_TRUE(driver.queues[1].take_used());
  EXPECT_FALSE(driver.queues[1].take_used());
}

TEST_F(VirtioNetTest, TellsTheDriverThatItsLinkHasChanged) {
  ASSERT_TRUE(driver.start(kFeatureStatus));
  EXPECT_EQ(driver.device_config<std::uint16_t>(kConfigStatus), kStatusLinkUp);
  network.link().set(false);
  EXPECT_EQ(driver.device_config<std::uint16_t>(kConfigStatus), 0);
  EXPECT_EQ(driver.config_interrupts(), 1);
  network.link().set(false);
  EXPECT_EQ(driver.config_interrupts(), 1);
  network.link().set(true);
  EXPECT_EQ(driver.device_config<std::uint16_t>(kConfigStatus), kStatusLinkUp);
  EXPECT_EQ(driver.config_interrupts(), 2);
}

TEST_F(VirtioNetTest, HasACutLinkForGood) {
  ASSERT_TRUE(driver.start(kFeatureStatus));
  int cuts = 0;
  network.link().tell_of_cut([&] { ++cuts; });
  network.link().cut();
  network.link().cut();
  EXPECT_EQ(cuts, 1);
  EXPECT_FALSE(network.link().set(true));
  EXPECT_TRUE(network.link().set(false));
  EXPECT_EQ(driver.device_config<std::uint16_t>(kConfigStatus), 0);
  EXPECT_EQ(driver.config_interrupts(), 1);
}

TEST_F(VirtioNetTest, TellsNobodyOfItsLinkWhoHasNotAskedOrIsGone) {
  ASSERT_TRUE(driver.start(0));
  network.link().set(false);
  ASSERT_TRUE(driver.start(kFeatureStatus));
  EXPECT_EQ(driver.device_config<std::uint16_t>(kConfigStatus), 0);
  driver.set_status(0);
  network.link().set(true);
  EXPECT_EQ(driver.config_interrupts(), 0);
}

TEST_F(VirtioNetTest, PassesNothingWhileItsLinkIsDown) {
  ASSERT_TRUE(driver.start(0));
  give_room(2048, 1);
  network.link().set(false);
  send("lost");
  EXPECT_TRUE(driver.queues[1].take_used());
  network.queues[0].waiting = {"lost too"};
  network.queues[0].manual.run();
  network.link().set(true);
  send("frame");
  network.queues[0].waiting = {"another"};
  network.queues[0].manual.run();
  EXPECT_EQ(network.queues[0].sent, std::vector<std::string>{"frame"});
  EXPECT_EQ(driver.queues[0].take_used()->written, kHeaderSize + 7);
}

TEST_F(VirtioNetTest, ReceivesIntoOneBuffer) {
  ASSERT_TRUE(driver.start(0));
  give_room(2048, 1);
  network.queues[0].waiting = {"frame"};
  network.queues[0].manual.run();
  EXPECT_EQ(driver.queues[0].take_used()->written, kHeaderSize + 5);
  EXPECT_EQ(memory_text(kReceive + kHeaderSize, 5), "frame");
  EXPECT_EQ(test::read_as<std::uint16_t>(driver.queues[0], kReceive + kHeaderBuffers), 1);
}

TEST_F(VirtioNetTest, SpreadsALargePacketOverMergeableBuffers) {
  ASSERT_TRUE(driver.start(kFeatureMergeableBuffers));
  give_room(64, 3);
  network.queues[0].waiting = {std::string(100, 'a') + std::string(40, 'b')};
  network.queues[0].manual.run();
  EXPECT_EQ(driver.queues[0].take_used()->written, 64U);
  EXPECT_EQ(driver.queues[0].take_used()->written, 64U);
  EXPECT_EQ(driver.queues[0].take_used()->written, 24U);
  EXPECT_EQ(test::read_as<std::uint16_t>(driver.queues[0], kReceive + kHeaderBuffers), 3);
  EXPECT_EQ(memory_text(kReceive + 0x1000, 64), std::string(48, 'a') + std::string(16, 'b'));
}

TEST_F(VirtioNetTest, APacketWaitsUntilItsBuffersAreThere) {
  ASSERT_TRUE(driver.start(kFeatureMergeableBuffers));
  give_room(64, 1);
  network.queues[0].waiting = {std::string(100, 'a')};
  network.queues[0].manual.run();
  EXPECT_FALSE(driver.queues[0].take_used());
  give_room(64, 1);
  EXPECT_TRUE(driver.queues[0].take_used());
  EXPECT_TRUE(driver.queues[0].take_used());
}

TEST_F(VirtioNetTest, DropsAPacketThatNeverFits) {
  ASSERT_TRUE(driver.start(0));
  give_room(64, 1);
  network.queues[0].waiting = {std::string(100, 'a'), "fits"};
  network.queues[0].manual.run();
  EXPECT_EQ(network.queues[0].drops, 1);
  EXPECT_EQ(driver.queues[0].take_used()->written, kHeaderSize + 4);
}

TEST_F(VirtioNetTest, TheDriverChoosesHowManyPairsItUses) {
  ASSERT_TRUE(driver.start(kFeatureControlQueue | kFeatureMultiQueue));
  EXPECT_EQ(network.active, 1U);
  const auto command = [&](std::uint8_t kind, std::uint8_t number, std::uint16_t pairs) {
    auto& queue = driver.queues[4];
    test::write_as<std::uint8_t>(queue, kData, kind);
    test::write_as<std::uint8_t>(queue, kData + 1, number);
    test::write_as<std::uint16_t>(queue, kData + 2, pairs);
    queue.add({{kData, 4}, {kData + 8, 1, true}});
    notify(4);
    return test::in8(queue, kData + 8);
  };
  EXPECT_EQ(command(4, 0, 2), kControlOk);
  EXPECT_EQ(network.active, 2U);
  EXPECT_EQ(command(4, 0, 0), kControlError);
  EXPECT_EQ(command(4, 0, 3), kControlError);
  EXPECT_EQ(command(0, 0, 1), kControlError);
  EXPECT_EQ(network.active, 2U);
}

TEST_F(VirtioNetTest, ShortPacketsAndBuffersBreakTheDevice) {
  ASSERT_TRUE(driver.start(0));
  driver.queues[1].add({{kData, kHeaderSize - 1}});
  notify(1);
  EXPECT_NE(driver.status() & virtio_spec::kNeedsReset, 0);
  ASSERT_TRUE(driver.start(0));
  network.queues[0].waiting = {"frame"};
  give_room(kHeaderSize - 1, 1);
  EXPECT_NE(driver.status() & virtio_spec::kNeedsReset, 0);
}

TEST_F(VirtioNetTest, DropsAFrameLargerThanAnyOffloadMakes) {
  ASSERT_TRUE(driver.start(0));
  driver.queues[1].add({{kData, 0x10000}, {kData, 0x10000}});
  notify(1);
  EXPECT_TRUE(driver.queues[1].take_used());
  EXPECT_TRUE(network.queues[0].sent.empty());
}

}  // namespace
}  // namespace virttdx
