// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio/virtio_pci.h"

#include <gtest/gtest.h>

#include "echo_device.h"
#include "virtio_driver.h"

namespace virttdx {
namespace {

using namespace virtio_pci_spec;
using test::read_as;
using test::write_as;

struct RecordingDoorbells final : DoorbellBus {
  Result<> connect(Gpa address, std::uint32_t size, int eventfd) override {
    connected[{address.value, size}] = eventfd;
    return {};
  }
  void disconnect(Gpa address, std::uint32_t size, int) override { connected.erase({address.value, size}); }
  std::map<std::pair<std::uint64_t, std::uint32_t>, int> connected;
};

struct VirtioPciTest : testing::Test {
  test::EchoDevice device;
  RecordingDoorbells doorbells;
  test::VirtioDriver driver{device, &doorbells};
};

TEST_F(VirtioPciTest, IsAModernFunctionOnly) {
  EXPECT_EQ(driver.config<std::uint32_t>(0), 0x10441AF4U);
  EXPECT_EQ(driver.config<std::uint8_t>(8), 1);               // revision
  EXPECT_GE(driver.config<std::uint16_t>(0x2E), 0x40);        // subsystem: not transitional
  EXPECT_EQ(driver.config<std::uint32_t>(0x10), 0U);          // no I/O BAR
  EXPECT_EQ(driver.config<std::uint32_t>(0x20) & 0xF, 0xCU);  // 64 bits, prefetchable
  for (const std::uint8_t type : {kCapCommon, kCapNotify, kCapIsr, kCapDevice, kCapAccess})
    EXPECT_NE(driver.find_capability(type), 0U) << int{type};
}

TEST_F(VirtioPciTest, ABarTellsItsSizeWhenWrittenWithOnes) {
  driver.set_config<std::uint16_t>(pci_spec::kCommand, 0);
  driver.set_config<std::uint32_t>(0x20, 0xFFFFFFFF);
  driver.set_config<std::uint32_t>(0x24, 0xFFFFFFFF);
  EXPECT_EQ(driver.config<std::uint32_t>(0x20), 0xFFFFC00CU);  // 16 KiB
  EXPECT_EQ(driver.config<std::uint32_t>(0x24), 0xFFFFFFFFU);
  driver.set_config<std::uint32_t>(0x14, 0xFFFFFFFF);
  EXPECT_EQ(driver.config<std::uint32_t>(0x14), 0xFFFFF000U);
}

TEST_F(VirtioPciTest, BarsAnswerWhereTheyAreWhileMemoryDecodingIsOn) {
  EXPECT_EQ(driver.common<std::uint16_t>(kQueueCount), 2);
  driver.set_config<std::uint16_t>(pci_spec::kCommand, pci_spec::kCommandBusMaster);
  EXPECT_EQ(driver.common<std::uint16_t>(kQueueCount), 0xFFFF);
  driver.set_config<std::uint32_t>(0x24, 0x9);
  driver.set_config<std::uint16_t>(pci_spec::kCommand, pci_spec::kCommandMemory);
  EXPECT_EQ(read_as<std::uint16_t>(driver.mmio, 0x900000000 + kQueueCount), 2);
  EXPECT_EQ(driver.common<std::uint16_t>(kQueueCount), 0xFFFF);
}

TEST_F(VirtioPciTest, ABarInTheWayOfAnotherDeviceAnswersNowhere) {
  ASSERT_TRUE(driver.mmio.add(0xA00000000, 0x1000, "in the way", driver.reset_control));
  driver.set_config<std::uint32_t>(0x24, 0xA);
  EXPECT_EQ(driver.common<std::uint16_t>(kQueueCount), 0xFFFF);
  driver.set_config<std::uint32_t>(0x24, 0x8);
  EXPECT_EQ(driver.common<std::uint16_t>(kQueueCount), 2);
}

TEST_F(VirtioPciTest, OffersItsFeaturesAndThoseOfATdAlways) {
  EXPECT_EQ(driver.offered_features(), 0x5 | test::kNecessaryFeatures | virtio_spec::kFeatureEventIndex |
                                           virtio_spec::kFeatureIndirectDescriptors);
}

TEST_F(VirtioPciTest, RefusesADriverWithoutAccessPlatformOrVersion1OrWithOtherFeatures) {
  for (const std::uint64_t features :
       {virtio_spec::kFeatureVersion1, virtio_spec::kFeatureAccessPlatform, test::kNecessaryFeatures | 0x8}) {
    driver.set_status(0);
    driver.set_status(3);
    driver.accept_features(features);
    driver.set_status(3 | virtio_spec::kFeaturesOk);
    EXPECT_EQ(driver.status(), 3) << features;
    driver.set_status(3 | virtio_spec::kFeaturesOk | virtio_spec::kDriverOk);
    EXPECT_EQ(device.starts, 0);
  }
}

TEST_F(VirtioPciTest, StartsTheDeviceWithTheQueuesThatAreEnabled) {
  ASSERT_TRUE(driver.start(0x1));
  ASSERT_TRUE(device.session);
  EXPECT_EQ(device.session->features, 0x1 | test::kNecessaryFeatures);
  ASSERT_EQ(device.session->queues.size(), 2U);
  EXPECT_EQ(device.session->queues[0]->size(), 256);
  EXPECT_EQ(device.session->queues[1]->size(), 64);
}

TEST_F(VirtioPciTest, FeaturesAndQueuesAreFixedOnceAgreed) {
  ASSERT_TRUE(driver.start(0x1));
  driver.accept_features(test::kNecessaryFeatures | 0x4);
  driver.set_common<std::uint32_t>(kDriverFeatureSelect, 0);
  EXPECT_EQ(driver.common<std::uint32_t>(kDriverFeature), 1U);
  driver.set_common<std::uint16_t>(kQueueSelect, 0);
  driver.set_common<std::uint32_t>(kQueueDescriptors, 0x1000);
  EXPECT_EQ(driver.common<std::uint32_t>(kQueueDescriptors), 0U);
  driver.set_status(1);  // no bit goes but by a reset
  EXPECT_EQ(driver.status(), 0x0F);
}

TEST_F(VirtioPciTest, AResetStopsTheDeviceAndForgetsEverything) {
  ASSERT_TRUE(driver.start(0x1));
  driver.set_status(0);
  EXPECT_FALSE(device.session);
  EXPECT_EQ(driver.status(), 0);
  EXPECT_EQ(driver.common<std::uint16_t>(kConfigVector), kNoVector);
  EXPECT_EQ(driver.common<std::uint16_t>(kQueueVector), kNoVector);
  EXPECT_EQ(driver.common<std::uint16_t>(kQueueEnable), 0);
  EXPECT_TRUE(driver.start(0x1));
}

TEST_F(VirtioPciTest, AQueueThatIsNotThereHasSizeZero) {
  driver.set_common<std::uint16_t>(kQueueSelect, 2);
  EXPECT_EQ(driver.common<std::uint16_t>(kQueueSize), 0);
  driver.set_common<std::uint16_t>(kQueueEnable, 1);
  EXPECT_EQ(driver.common<std::uint16_t>(kQueueEnable), 0);
}

TEST_F(VirtioPciTest, AVectorThatIsNotThereReadsBackAsNone) {
  driver.set_common<std::uint16_t>(kConfigVector, 3);
  EXPECT_EQ(driver.common<std::uint16_t>(kConfigVector), kNoVector);
  driver.set_common<std::uint16_t>(kConfigVector, 2);
  EXPECT_EQ(driver.common<std::uint16_t>(kConfigVector), 2);
}

TEST_F(VirtioPciTest, AQueueOutsideSharedMemoryMakesTheDeviceNeedAReset) {
  driver.set_status(3);
  driver.accept_features(test::kNecessaryFeatures);
  driver.set_status(3 | virtio_spec::kFeaturesOk);
  driver.set_common<std::uint16_t>(kConfigVector, 0);
  driver.set_common<std::uint32_t>(kQueueDescriptors, 0x7FFFFFF0);
  driver.set_common<std::uint16_t>(kQueueEnable, 1);
  driver.set_status(0x0F);
  EXPECT_EQ(driver.status(), 0x0F | virtio_spec::kNeedsReset);
  EXPECT_EQ(driver.config_interrupts(), 1);
  EXPECT_EQ(device.starts, 0);
  EXPECT_TRUE(driver.start(0));
  EXPECT_EQ(driver.status(), 0x0F);
}

TEST_F(VirtioPciTest, NotificationsRingTheQueuesDoorbell) {
  driver.notify(1);
  driver.notify(1);
  EXPECT_EQ(device.rings(0), 0U);
  EXPECT_EQ(device.rings(1), 2U);
}

TEST_F(VirtioPciTest, DoorbellsFollowTheBar) {
  const std::uint64_t first = driver.structure(kCapNotify);
  EXPECT_EQ(doorbells.connected.size(), 2U);
  EXPECT_EQ((doorbells.connected[{first + 4, 2}]), device.doorbell(1));
  driver.set_config<std::uint32_t>(0x24, 0x9);
  EXPECT_EQ(doorbells.connected.size(), 2U);
  EXPECT_TRUE((doorbells.connected.contains({first + 0x100000000, 2})));
  driver.set_config<std::uint16_t>(pci_spec::kCommand, 0);
  EXPECT_TRUE(doorbells.connected.empty());
}

TEST_F(VirtioPciTest, TheIsrIsClearedByReadingIt) {
  ASSERT_TRUE(driver.start(0));
  const std::uint64_t isr = driver.structure(kCapIsr);
  EXPECT_EQ(read_as<std::uint8_t>(driver.mmio, isr), 0);
  device.session->configuration_changed();
  EXPECT_EQ(read_as<std::uint8_t>(driver.mmio, isr), kIsrConfiguration);
  EXPECT_EQ(read_as<std::uint8_t>(driver.mmio, isr), 0);
  EXPECT_EQ(driver.common<std::uint8_t>(kConfigGeneration), 1);
}

TEST_F(VirtioPciTest, SendsNoMessageWithoutBusMaster) {
  ASSERT_TRUE(driver.start(0));
  driver.set_config<std::uint16_t>(pci_spec::kCommand, pci_spec::kCommandMemory);
  device.session->configuration_changed();
  EXPECT_EQ(driver.config_interrupts(), 0);
}

TEST_F(VirtioPciTest, ReachesDeviceConfigurationWithEverySize) {
  driver.set_device_config<std::uint32_t>(0, 0x44332211);
  EXPECT_EQ(driver.device_config<std::uint8_t>(1), 0x22);
  EXPECT_EQ(driver.device_config<std::uint64_t>(0), 0x44332211U);
  EXPECT_EQ(driver.device_config<std::uint32_t>(6), 0U);  // past its end
}

TEST_F(VirtioPciTest, TheAccessCapabilityIsAWindowToTheBar) {
  const unsigned access = driver.find_capability(kCapAccess);
  driver.set_config<std::uint8_t>(access + 4, 4);
  driver.set_config<std::uint32_t>(access + 8, kQueueCount);
  driver.set_config<std::uint32_t>(access + 12, 2);
  EXPECT_EQ(driver.config<std::uint16_t>(access + 16), 2);
  driver.set_config<std::uint32_t>(access + 8, kDeviceFeatureSelect);
  driver.set_config<std::uint32_t>(access + 12, 4);
  driver.set_config<std::uint32_t>(access + 16, 1);
  EXPECT_EQ(driver.common<std::uint32_t>(kDeviceFeatureSelect), 1U);
  driver.set_config<std::uint32_t>(access + 8, 0xFFFFFFFC);  // outside: nothing happens
  driver.set_config<std::uint32_t>(access + 16, 7);
  driver.set_config<std::uint32_t>(access + 12, 3);
  driver.set_config<std::uint32_t>(access + 16, 7);
  EXPECT_EQ(driver.common<std::uint32_t>(kDeviceFeatureSelect), 1U);
}

}  // namespace
}  // namespace virttdx
