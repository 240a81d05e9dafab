// SPDX-License-Identifier: GPL-2.0-or-later
// Queues that somebody outside of the monitor calls for: their calls follow the vectors' messages.
#include <gtest/gtest.h>

#include "echo_device.h"
#include "virtio_driver.h"

namespace virttdx {
namespace {

using namespace virtio_pci_spec;
using test::VirtioDriver;

struct RecordingIrqfds final : IrqfdBus {
  Result<> connect(int eventfd, const MsiMessage& message) override {
    if (is_refusing) return fail(Error::Code::System, "no irqfd for you");
    data[eventfd] = message.data;
    return {};
  }
  void disconnect(int eventfd) override { data.erase(eventfd); }
  std::map<int, std::uint32_t> data;
  bool is_refusing = false;
};

constexpr int kFirstCall = 1000, kSecondCall = 1001;
constexpr std::uint32_t kFirstQueue = VirtioDriver::kConfigMessage + 1;
using Connected = std::map<int, std::uint32_t>;

struct VirtioIrqfdTest : testing::Test {
  void SetUp() override {
    device.calls = {kFirstCall, kSecondCall};
    driver = std::make_unique<VirtioDriver>(device, nullptr, &irqfds);
    ASSERT_TRUE(driver->start(0));
  }
  test::EchoDevice device;
  RecordingIrqfds irqfds;
  std::unique_ptr<VirtioDriver> driver;
};

TEST_F(VirtioIrqfdTest, EachQueuesCallIsItsVectorsMessage) {
  EXPECT_EQ(irqfds.data, (Connected{{kFirstCall, kFirstQueue}, {kSecondCall, kFirstQueue + 1}}));
}

TEST_F(VirtioIrqfdTest, AMaskedVectorIsTheDevicesToRaise) {
  driver->mask(1, true);
  EXPECT_EQ(irqfds.data, (Connected{{kSecondCall, kFirstQueue + 1}}));
  device.session->queues[0]->interrupt();
  EXPECT_EQ(driver->queue_interrupts(0), 0);
  driver->mask(1, false);
  EXPECT_EQ(driver->queue_interrupts(0), 1);
  EXPECT_EQ(irqfds.data.size(), 2U);
}

TEST_F(VirtioIrqfdTest, FollowsTheMessageAndTheVectorThatTheDriverChooses) {
  test::write_as<std::uint32_t>(driver->mmio, VirtioDriver::kMsix + 16 + pci_spec::kMsixEntryData, 0x99);
  EXPECT_EQ(irqfds.data[kFirstCall], 0x99U);
  driver->set_common<std::uint16_t>(kQueueSelect, 0);
  driver->set_common<std::uint16_t>(kQueueVector, 2);
  EXPECT_EQ(irqfds.data[kFirstCall], kFirstQueue + 1);
  driver->set_common<std::uint16_t>(kQueueVector, kNoVector);
  EXPECT_FALSE(irqfds.data.contains(kFirstCall));
}

TEST_F(VirtioIrqfdTest, NothingIsConnectedWithoutBusMasterNorAfterAReset) {
  driver->set_config<std::uint16_t>(pci_spec::kCommand, pci_spec::kCommandMemory);
  EXPECT_TRUE(irqfds.data.empty());
  driver->set_config<std::uint16_t>(pci_spec::kCommand,
                                    pci_spec::kCommandMemory | pci_spec::kCommandBusMaster);
  EXPECT_EQ(irqfds.data.size(), 2U);
  driver->set_status(0);
  EXPECT_TRUE(irqfds.data.empty());
}

TEST_F(VirtioIrqfdTest, NothingIsConnectedWhenTheDeviceIsGone) {
  driver.reset();
  EXPECT_TRUE(irqfds.data.empty());
}

TEST_F(VirtioIrqfdTest, WithoutAnIrqfdTheDeviceRaisesItsVectors) {
  irqfds.is_refusing = true;
  ASSERT_TRUE(driver->start(0));
  EXPECT_TRUE(irqfds.data.empty());
  device.session->queues[0]->interrupt();
  EXPECT_EQ(driver->queue_interrupts(0), 1);
}

TEST(VirtioIrqfd, AQueueThatNobodyCallsForStaysAsItIs) {
  test::EchoDevice device;
  device.calls = {-1, kSecondCall};
  RecordingIrqfds irqfds;
  VirtioDriver driver(device, nullptr, &irqfds);
  ASSERT_TRUE(driver.start(0));
  EXPECT_EQ(irqfds.data, (Connected{{kSecondCall, kFirstQueue + 1}}));
}

}  // namespace
}  // namespace virttdx
