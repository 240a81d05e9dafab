// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio/virtqueue.h"

#include <gtest/gtest.h>

#include "virtio_driver.h"

namespace virttdx {
namespace {

using test::DriverBuffer;
using test::DriverQueue;

constexpr std::uint16_t kSize = 8;
constexpr std::uint64_t kBase = 0x8000;
constexpr std::uint64_t kTable = 0x20000, kData = 0x30000;

struct VirtqueueTest : testing::Test {
  Virtqueue make(bool event_index = false, bool indirect = true) {
    auto made = Virtqueue::create(memory,
                                  {.size = kSize,
                                   .descriptors = {driver.descriptors()},
                                   .available = {driver.available()},
                                   .used = {driver.used()},
                                   .event_index = event_index,
                                   .indirect = indirect},
                                  [this] { ++interrupts; });
    EXPECT_TRUE(made);
    return std::move(*made);
  }
  Error error_of(Virtqueue& queue) {
    auto popped = queue.pop(chain);
    return popped ? Error(Error::Code::Internal, *popped ? "a chain" : "nothing") : popped.error();
  }
  test::FlatMemory memory{1U << 18};
  DriverQueue driver{memory, kBase, kSize};
  DescriptorChain chain;
  int interrupts = 0;
};

TEST_F(VirtqueueTest, GivesChainsInTheOrderOfTheDriver) {
  Virtqueue queue = make();
  const auto first = driver.add({{kData, 16}, {kData + 0x1000, 32, true}});
  const auto second = driver.add({{kData + 0x2000, 8}});
  ASSERT_TRUE(queue.pop(chain).value());
  EXPECT_EQ(chain.head, first);
  ASSERT_EQ(chain.readable.size(), 1U);
  EXPECT_EQ(chain.readable[0].iov_base, memory.bytes.data() + kData);
  EXPECT_EQ(chain.readable_size, 16U);
  EXPECT_EQ(chain.writable_size, 32U);
  ASSERT_TRUE(queue.pop(chain).value());
  EXPECT_EQ(chain.head, second);
  EXPECT_TRUE(chain.writable.empty());
  EXPECT_FALSE(queue.pop(chain).value());
}

TEST_F(VirtqueueTest, FollowsIndirectTables) {
  Virtqueue queue = make();
  driver.add_indirect(kTable, {{kData, 1}, {kData + 1, 2}, {kData + 3, 3, true}});
  ASSERT_TRUE(queue.pop(chain).value());
  EXPECT_EQ(chain.readable.size(), 2U);
  EXPECT_EQ(chain.writable_size, 3U);
}

TEST_F(VirtqueueTest, GivesChainsBackWithTheirLengths) {
  Virtqueue queue = make();
  for (int round = 0; round < 3 * kSize; ++round) {
    const auto head = driver.add({{kData, 4, true}});
    ASSERT_TRUE(queue.pop(chain).value());
    queue.push(chain.head, 4);
    EXPECT_EQ(driver.take_used(), (DriverQueue::Used{head, 4}));
  }
}

TEST_F(VirtqueueTest, InterruptsOnceABatchUnlessTheDriverWantsNone) {
  Virtqueue queue = make();
  queue.signal();
  EXPECT_EQ(interrupts, 0);
  queue.push(0, 0);
  queue.push(1, 0);
  queue.signal();
  queue.signal();
  EXPECT_EQ(interrupts, 1);
  driver.set_no_interrupt(true);
  queue.push(2, 0);
  queue.signal();
  EXPECT_EQ(interrupts, 1);
}

TEST_F(VirtqueueTest, InterruptsWhenTheDriversEventIsReached) {
  Virtqueue queue = make(true);
  driver.set_used_event(2);
  queue.push(0, 0);
  queue.push(0, 0);
  queue.signal();
  EXPECT_EQ(interrupts, 0);
  queue.push(0, 0);
  queue.signal();
  EXPECT_EQ(interrupts, 1);
  queue.push(0, 0);
  queue.signal();
  EXPECT_EQ(interrupts, 1);
}

TEST_F(VirtqueueTest, AsksForNotificationsAsNegotiated) {
  Virtqueue flags = make();
  flags.disable_notification();
  EXPECT_EQ(driver.used_flags(), 1);
  EXPECT_FALSE(flags.enable_notification());
  EXPECT_EQ(driver.used_flags(), 0);

  Virtqueue events = make(true);
  driver.add({{kData, 4}});
  EXPECT_TRUE(events.enable_notification());  // there is one already
  ASSERT_TRUE(events.pop(chain).value());
  EXPECT_FALSE(events.enable_notification());
  EXPECT_EQ(driver.available_event(), 1);
}

TEST_F(VirtqueueTest, RefusesPlacesThatAreUnalignedOrNotInSharedMemory) {
  const VirtqueuePlace good{kSize, {driver.descriptors()}, {driver.available()}, {driver.used()}};
  const auto refused = [&](VirtqueuePlace place) { return !Virtqueue::create(memory, place, [] {}); };
  EXPECT_FALSE(refused(good));
  auto place = good;
  place.descriptors.value += 8;
  EXPECT_TRUE(refused(place));
  place = good;
  place.available.value += 1;
  EXPECT_TRUE(refused(place));
  place = good;
  place.used = {memory.bytes.size() - 4};
  EXPECT_TRUE(refused(place));
  place = good;
  place.available = {~0ULL - 1};
  EXPECT_TRUE(refused(place));
  for (const std::uint16_t size : std::vector<std::uint16_t>{0, 3, 0x8001}) {
    place = good;
    place.size = size;
    EXPECT_TRUE(refused(place)) << size;
  }
}

TEST_F(VirtqueueTest, RefusesAnIndexThatRunsAhead) {
  Virtqueue queue = make();
  driver.set_available_index(kSize + 1);
  EXPECT_EQ(error_of(queue).message(), "the available ring of 8 entries has 9 new ones");
}

TEST_F(VirtqueueTest, RefusesDescriptorsOutsideTheTable) {
  Virtqueue queue = make();
  driver.make_available(kSize);
  EXPECT_EQ(error_of(queue).message(), "descriptor 8 in a table of 8");
  Virtqueue other = make();
  driver.set_available_index(0);
  driver.write_descriptor(0, {kData, 4}, virtio_spec::kFlagNext, 0xFFFF);
  driver.make_available(0);
  EXPECT_EQ(error_of(other).message(), "descriptor 65535 in a table of 8");
}

TEST_F(VirtqueueTest, RefusesAChainThatIsALoop) {
  Virtqueue queue = make();
  driver.write_descriptor(0, {kData, 4}, virtio_spec::kFlagNext, 1);
  driver.write_descriptor(1, {kData, 4}, virtio_spec::kFlagNext, 0);
  driver.make_available(0);
  EXPECT_EQ(error_of(queue).message(), "the chain from descriptor 0 does not end");
}

TEST_F(VirtqueueTest, RefusesBuffersOutsideSharedMemory) {
  Virtqueue queue = make();
  driver.add({{memory.bytes.size() - 4, 8}});
  EXPECT_EQ(error_of(queue).message(), "buffer 0x3fffc+0x8 is not in shared memory");
  Virtqueue other = make();
  driver.set_available_index(0);
  driver.add({{~0ULL - 3, 0xFFFFFFFF}});
  EXPECT_EQ(error_of(other).code(), Error::Code::InvalidData);
}

TEST_F(VirtqueueTest, RefusesABufferToReadBehindOneToWrite) {
  Virtqueue queue = make();
  driver.add({{kData, 4, true}, {kData, 4}});
  EXPECT_EQ(error_of(queue).message(), "a buffer to read stands behind one to write");
}

TEST_F(VirtqueueTest, RefusesIndirectTablesThatAreNone) {
  for (const std::uint32_t length : {0U, 15U, 17U, 16U * 1025}) {
    Virtqueue queue = make();
    driver.set_available_index(0);
    driver.write_descriptor(0, {kTable, length}, virtio_spec::kFlagIndirect, 0);
    driver.make_available(0);
    EXPECT_EQ(error_of(queue).code(), Error::Code::InvalidData) << length;
  }
  Virtqueue nested = make();
  driver.set_available_index(0);
  test::DriverQueue table(memory, kTable, kSize);
  table.write_descriptor(0, {kData, 16}, virtio_spec::kFlagIndirect, 0);
  driver.write_descriptor(0, {kTable, 16}, virtio_spec::kFlagIndirect, 0);
  driver.make_available(0);
  EXPECT_EQ(error_of(nested).message(), "descriptor 0 is indirect where none may be");
}

TEST_F(VirtqueueTest, RefusesIndirectDescriptorsThatWereNotNegotiated) {
  Virtqueue queue = make(false, false);
  driver.add_indirect(kTable, {{kData, 1}});
  EXPECT_EQ(error_of(queue).code(), Error::Code::InvalidData);
}

TEST_F(VirtqueueTest, SkipsEmptyBuffers) {
  Virtqueue queue = make();
  driver.add({{~0ULL, 0}, {kData, 4}});
  ASSERT_TRUE(queue.pop(chain).value());
  EXPECT_EQ(chain.readable.size(), 1U);
}

}  // namespace
}  // namespace virttdx
