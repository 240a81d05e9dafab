// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio_blk/virtio_blk.h"

#include <gtest/gtest.h>

#include "memory_disk.h"
#include "virtio_driver.h"

namespace virttdx {
namespace {

using namespace virtio_blk_spec;
using Kind = BlockOperation::Kind;
using test::DriverBuffer;

constexpr std::uint64_t kHeader = test::VirtioDriver::kBuffers;
constexpr std::uint64_t kStatus = kHeader + 0x100;
constexpr std::uint64_t kData = kHeader + 0x1000;
constexpr std::uint8_t kUntouched = 0xEE;

struct VirtioBlkTest : testing::Test {
  explicit VirtioBlkTest(const BlockBackend::Properties& properties = {.capacity = 1U << 20,
                                                                       .discard = true,
                                                                       .writeback = true,
                                                                       .queue_size = 64,
                                                                       .serial = "serial-number-1"})
      : disk(properties, 2) {}
  /// A request with data between header and status, served at once; its status.
  std::uint8_t request(std::uint32_t type, std::uint64_t sector, const std::vector<DriverBuffer>& data) {
    send(type, sector, data);
    disk.pump();
    return driver.memory.read({kStatus}, status_byte) ? static_cast<std::uint8_t>(status_byte[0])
                                                      : kUntouched;
  }
  void send(std::uint32_t type, std::uint64_t sector, const std::vector<DriverBuffer>& data,
            unsigned queue = 0) {
    test::DriverQueue& ring = driver.queues.at(queue);
    test::write_as<std::uint32_t>(ring, kHeader, type);
    test::write_as<std::uint64_t>(ring, kHeader + 8, sector);
    test::write_as<std::uint8_t>(ring, kStatus, kUntouched);
    std::vector<DriverBuffer> buffers = {{kHeader, 16}};
    buffers.insert(buffers.end(), data.begin(), data.end());
    buffers.push_back({kStatus, 1, true});
    ring.add(buffers);
    driver.notify(static_cast<std::uint16_t>(queue));
  }
  std::uint8_t range_request(std::uint32_t type, std::uint64_t sector, std::uint32_t sectors,
                             std::uint32_t flags) {
    auto& ring = driver.queues.at(0);
    test::write_as<std::uint64_t>(ring, kData, sector);
    test::write_as<std::uint32_t>(ring, kData + 8, sectors);
    test::write_as<std::uint32_t>(ring, kData + 12, flags);
    return request(type, 0, {{kData, 16}});
  }
  void fill(std::uint64_t address, std::size_t size, unsigned value) {
    std::ranges::fill(std::span(driver.memory.bytes).subspan(address, size), std::byte(value));
  }
  std::array<std::byte, 1> status_byte{};
  test::MemoryDisk disk;
  VirtioBlk device{disk};
  test::VirtioDriver driver{device};
};

TEST_F(VirtioBlkTest, DescribesItsDisk) {
  EXPECT_EQ(driver.config<std::uint32_t>(0), 0x10421AF4U);
  EXPECT_EQ(driver.device_config<std::uint64_t>(kConfigCapacity), 2048U);
  EXPECT_EQ(driver.device_config<std::uint32_t>(kConfigSegMax), 62U);
  EXPECT_EQ(driver.device_config<std::uint32_t>(kConfigBlockSize), 512U);
  EXPECT_EQ(driver.device_config<std::uint16_t>(kConfigQueues), 2);
  EXPECT_EQ(driver.offered_features() & 0xFFFFFF, 0x7E44U);
}

TEST_F(VirtioBlkTest, OffersEventIndicesUnlessTheDiskIsWithoutThem) {
  const auto all = driver.offered_features();
  EXPECT_NE(all & virtio_spec::kFeatureEventIndex, 0U);
  disk.disk.event_index = false;
  EXPECT_EQ(driver.offered_features(), all & ~virtio_spec::kFeatureEventIndex);
}

TEST_F(VirtioBlkTest, ReadsIntoAllBuffersAndTellsTheLength) {
  ASSERT_TRUE(driver.start(0));
  std::ranges::fill(std::span(disk.bytes).subspan(3 * 512, 512), std::byte{1});
  std::ranges::fill(std::span(disk.bytes).subspan(4 * 512, 512), std::byte{2});
  EXPECT_EQ(request(kTypeIn, 3, {{kData, 512, true}, {kData + 0x1000, 512, true}}), kStatusOk);
  EXPECT_EQ(driver.memory.bytes[kData + 511], std::byte{1});
  EXPECT_EQ(driver.memory.bytes[kData + 0x1000], std::byte{2});
  EXPECT_EQ(driver.queues[0].take_used()->written, 1025U);
  EXPECT_EQ(driver.queue_interrupts(0), 1);
}

TEST_F(VirtioBlkTest, WritesAndFlushes) {
  ASSERT_TRUE(driver.start(kFeatureFlush));
  fill(kData, 1024, 0x5A);
  EXPECT_EQ(request(kTypeOut, 2046, {{kData, 1024}}), kStatusOk);
  EXPECT_EQ(disk.bytes.back(), std::byte{0x5A});
  EXPECT_FALSE(disk.log.back().durable);
  EXPECT_EQ(request(kTypeFlush, 0, {}), kStatusOk);
  EXPECT_EQ(disk.log.back().kind, Kind::Flush);
}

TEST_F(VirtioBlkTest, ADriverWithoutFlushGetsDurableWrites) {
  ASSERT_TRUE(driver.start(0));
  EXPECT_EQ(request(kTypeOut, 0, {{kData, 512}}), kStatusOk);
  EXPECT_TRUE(disk.log.back().durable);
  EXPECT_EQ(driver.device_config<std::uint8_t>(kConfigWriteback), 0);
}

TEST_F(VirtioBlkTest, TheDriverMaySwitchTheWriteCache) {
  driver.set_device_config<std::uint8_t>(kConfigWriteback, 0);
  EXPECT_EQ(driver.device_config<std::uint8_t>(kConfigWriteback), 1);  // not negotiated yet
  ASSERT_TRUE(driver.start(kFeatureFlush | kFeatureConfigWriteback));
  driver.set_device_config<std::uint8_t>(kConfigWriteback, 0);
  EXPECT_EQ(request(kTypeOut, 0, {{kData, 512}}), kStatusOk);
  EXPECT_TRUE(disk.log.back().durable);
}

TEST_F(VirtioBlkTest, RefusesWhatLiesOutsideTheDisk) {
  ASSERT_TRUE(driver.start(0));
  EXPECT_EQ(request(kTypeIn, 2048, {{kData, 512, true}}), kStatusIoError);
  EXPECT_EQ(request(kTypeIn, 2047, {{kData, 1024, true}}), kStatusIoError);
  EXPECT_EQ(request(kTypeOut, ~0ULL, {{kData, 512}}), kStatusIoError);
  EXPECT_EQ(request(kTypeOut, ~0ULL / 512, {{kData, 512}}), kStatusIoError);
  EXPECT_EQ(request(kTypeIn, 0, {{kData, 511, true}}), kStatusIoError);
  EXPECT_TRUE(disk.log.empty());
  EXPECT_EQ(request(kTypeIn, 2047, {{kData, 512, true}}), kStatusOk);
}

TEST_F(VirtioBlkTest, ShowsItsSerialNumberPaddedTo20Bytes) {
  ASSERT_TRUE(driver.start(0));
  fill(kData, 32, 0xFF);
  EXPECT_EQ(request(kTypeGetId, 0, {{kData, 20, true}}), kStatusOk);
  EXPECT_EQ(std::memcmp(driver.memory.bytes.data() + kData, "serial-number-1\0\0\0\0\0", 20), 0);
  EXPECT_EQ(request(kTypeGetId, 0, {{kData, 19, true}}), kStatusIoError);
}

TEST_F(VirtioBlkTest, PassesDiscardsAndZeroesOn) {
  ASSERT_TRUE(driver.start(kFeatureDiscard | kFeatureWriteZeroes | kFeatureFlush));
  EXPECT_EQ(range_request(kTypeDiscard, 8, 16, 0), kStatusOk);
  EXPECT_EQ(disk.log.back().kind, Kind::Discard);
  EXPECT_EQ(disk.log.back().offset, 8U * 512);
  EXPECT_EQ(disk.log.back().size, 16U * 512);
  EXPECT_EQ(range_request(kTypeWriteZeroes, 8, 16, 1), kStatusOk);
  EXPECT_TRUE(disk.log.back().may_unmap);
  EXPECT_EQ(range_request(kTypeDiscard, 0, 1, 1), kStatusUnsupported);
  EXPECT_EQ(range_request(kTypeWriteZeroes, 0, 1, 2), kStatusUnsupported);
  EXPECT_EQ(range_request(kTypeDiscard, 2000, 49, 0), kStatusIoError);
  EXPECT_EQ(range_request(kTypeDiscard, ~0ULL, 0xFFFFFFFF, 0), kStatusIoError);
}

TEST_F(VirtioBlkTest, AnswersWhatItDoesNotKnowAsUnsupported) {
  ASSERT_TRUE(driver.start(0));
  EXPECT_EQ(request(99, 0, {}), kStatusUnsupported);
}

TEST_F(VirtioBlkTest, TellsAnErrorOfItsFile) {
  ASSERT_TRUE(driver.start(0));
  disk.error = ENOSPC;
  EXPECT_EQ(request(kTypeOut, 0, {{kData, 512}}), kStatusIoError);
  EXPECT_EQ(driver.queues[0].take_used()->written, 1U);
  EXPECT_EQ(driver.status() & virtio_spec::kNeedsReset, 0);
}

TEST_F(VirtioBlkTest, ARequestWithoutHeaderOrStatusBreaksTheDeviceNotTheMachine) {
  for (const std::vector<DriverBuffer>& buffers : std::vector<std::vector<DriverBuffer>>{
           {{kHeader, 15}, {kStatus, 1, true}}, {{kHeader, 16}}, {{kStatus, 1, true}}}) {
    ASSERT_TRUE(driver.start(0));
    const int told = driver.config_interrupts();
    driver.queues[0].add(buffers);
    driver.notify(0);
    disk.pump();
    EXPECT_NE(driver.status() & virtio_spec::kNeedsReset, 0);
    EXPECT_EQ(driver.config_interrupts(), told + 1);
    driver.notify(0);  // it stays silent
    disk.pump();
    EXPECT_FALSE(driver.queues[0].take_used());
  }
  ASSERT_TRUE(driver.start(0));
  EXPECT_EQ(request(kTypeIn, 0, {{kData, 512, true}}), kStatusOk);
}

TEST_F(VirtioBlkTest, GarbageInARingBreaksTheDeviceUntilItsReset) {
  ASSERT_TRUE(driver.start(0));
  driver.queues[1].set_available_index(0x7FFF);
  driver.notify(1);
  disk.pump();
  EXPECT_NE(driver.status() & virtio_spec::kNeedsReset, 0);
  ASSERT_TRUE(driver.start(0));
  EXPECT_EQ(driver.status() & virtio_spec::kNeedsReset, 0);
}

TEST_F(VirtioBlkTest, AResetInTheMiddleOfARequestLeavesGuestMemoryAlone) {
  ASSERT_TRUE(driver.start(0));
  send(kTypeIn, 0, {{kData, 512, true}});
  disk.pump_doorbells();
  ASSERT_EQ(disk.log.size(), 1U);
  driver.set_status(0);
  disk.pump();
  EXPECT_EQ(test::in8(driver.queues[0], kStatus), kUntouched);
  ASSERT_TRUE(driver.start(0));
  EXPECT_EQ(request(kTypeIn, 0, {{kData, 512, true}}), kStatusOk);
}

TEST_F(VirtioBlkTest, EachQueueHasItsOwnInterrupt) {
  ASSERT_TRUE(driver.start(0));
  send(kTypeIn, 1, {{kData, 512, true}}, 1);
  disk.pump();
  EXPECT_EQ(driver.queue_interrupts(1), 1);
  EXPECT_TRUE(driver.queues[1].take_used());
}

TEST_F(VirtioBlkTest, TakesMoreRequestsThanItHasRoomForLater) {
  ASSERT_TRUE(driver.start(0));
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 20; ++i) send(kTypeIn, 0, {{kData, 512, true}});
    disk.pump_doorbells();
  }
  EXPECT_EQ(disk.log.size(), 64U);
  disk.pump();
  EXPECT_EQ(driver.queues[0].used_index(), 80);
}

struct ReadOnlyBlkTest : VirtioBlkTest {
  ReadOnlyBlkTest() : VirtioBlkTest({.capacity = 4096, .read_only = true, .queue_size = 64}) {}
};

TEST_F(ReadOnlyBlkTest, RefusesWrites) {
  EXPECT_NE(driver.offered_features() & kFeatureReadOnly, 0U);
  EXPECT_EQ(driver.offered_features() & (kFeatureDiscard | kFeatureWriteZeroes), 0U);
  ASSERT_TRUE(driver.start(0));
  EXPECT_EQ(request(kTypeOut, 0, {{kData, 512}}), kStatusIoError);
  EXPECT_EQ(range_request(kTypeWriteZeroes, 0, 1, 0), kStatusUnsupported);
  EXPECT_TRUE(disk.log.empty());
}

}  // namespace
}  // namespace virttdx
