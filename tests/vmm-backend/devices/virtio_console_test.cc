// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio_console/virtio_console.h"

#include <gtest/gtest.h>

#include "manual_worker.h"
#include "memory_port.h"
#include "virtio_driver.h"

namespace virttdx {
namespace {

using namespace virtio_console_spec;

constexpr std::uint64_t kControlIn = test::VirtioDriver::kBuffers;  // a row of buffers of 64 bytes
constexpr std::uint64_t kControlOut = kControlIn + 0x4000;
constexpr std::uint64_t kData = kControlIn + 0x8000;

struct VirtioConsoleTest : testing::Test {
  /// Port 0's queues are 0 and 1, port 2's 6 and 7.
  void start(std::uint64_t features = kFeatureMultiport) {
    ASSERT_TRUE(driver.start(features));
    for (unsigned i = 0; i < 16; ++i)
      driver.queues[kQueueControlReceive].add({{kControlIn + 64 * i, 64, true}});
    if ((features & kFeatureMultiport) != 0) control(0, kDeviceReady, 1);
  }
  void control(std::uint32_t port, std::uint16_t event, std::uint16_t value) {
    auto& queue = driver.queues[kQueueControlTransmit];
    test::write_as<std::uint32_t>(queue, kControlOut, port);
    test::write_as<std::uint16_t>(queue, kControlOut + 4, event);
    test::write_as<std::uint16_t>(queue, kControlOut + 6, value);
    queue.add({{kControlOut, 8}});
    notify(kQueueControlTransmit);
  }
  void notify(std::size_t queue) {
    driver.notify(static_cast<std::uint16_t>(queue));
    worker.pump();
  }
  /// The next control message of the device: "port event value text".
  std::string next_control() {
    auto& queue = driver.queues[kQueueControlReceive];
    const auto used = queue.take_used();
    if (!used) return "none";
    const std::uint64_t at = kControlIn + 64 * used->head;
    std::string text(used->written - kControlSize, '?');
    std::memcpy(text.data(), driver.memory.bytes.data() + at + kControlSize, text.size());
    return fmt::format("{} {} {} {}", test::read_as<std::uint32_t>(queue, at),
                       test::read_as<std::uint16_t>(queue, at + 4),
                       test::read_as<std::uint16_t>(queue, at + 6), text);
  }
  void send(std::size_t queue, std::string_view text) {
    driver.write_memory(kData, std::as_bytes(std::span(text)));
    driver.queues[queue].add({{kData, static_cast<std::uint32_t>(text.size())}});
    notify(queue);
  }

  test::ManualWorker worker;
  test::MemoryPort console, channel;
  std::vector<bool> told;  ///< whether the channel is open, each time
  VirtioConsole device{
      worker,
      4,
      {{0, true, "", &console},
       {2, false, "org.qemu.guest_agent.0", &channel, [this](bool is_open) { told.push_back(is_open); }}}};
  test::VirtioDriver driver{device};
};

TEST_F(VirtioConsoleTest, HasQueuesForEveryPortThatItCouldHave) {
  EXPECT_EQ(driver.common<std::uint16_t>(virtio_pci_spec::kQueueCount), 10);
  EXPECT_EQ(driver.device_config<std::uint32_t>(kConfigMaximumPorts), 4U);
}

TEST_F(VirtioConsoleTest, TellsItsPortsAndWhatTheyAre) {
  start();
  EXPECT_EQ(next_control(), "0 1 1 ");
  EXPECT_EQ(next_control(), "2 1 1 ");
  EXPECT_EQ(next_control(), "none");
  control(0, kPortReady, 1);
  EXPECT_EQ(next_control(), "0 4 1 ");
  EXPECT_EQ(next_control(), "0 6 1 ");
  control(2, kPortReady, 1);
  EXPECT_EQ(next_control(), "2 7 1 org.qemu.guest_agent.0");
  EXPECT_EQ(next_control(), "2 6 1 ");
}

TEST_F(VirtioConsoleTest, TellsWhenSomebodyComesAndGoes) {
  channel.connected = false;
  start();
  control(2, kPortReady, 1);
  for (int i = 0; i < 3; ++i) next_control();  // two ports, a name
  EXPECT_EQ(next_control(), "none");
  channel.connected = true;
  worker.run();
  EXPECT_EQ(next_control(), "2 6 1 ");
  channel.connected = false;
  worker.run();
  EXPECT_EQ(next_control(), "2 6 0 ");
}

TEST_F(VirtioConsoleTest, TellsWhenTheGuestOpensAndClosesAPortOrLeavesItOpen) {
  start();
  control(2, kPortReady, 1);
  control(2, kPortOpen, 1);
  control(2, kPortOpen, 1);
  EXPECT_EQ(told, (std::vector{true}));
  control(2, kPortOpen, 0);
  control(2, kPortOpen, 1);
  device.stop();
  EXPECT_EQ(told, (std::vector{true, false, true, false}));
}

TEST_F(VirtioConsoleTest, PassesOutputOn) {
  start();
  send(kQueueTransmit0, "to the console");
  send(7, "to the channel");
  EXPECT_EQ(console.written, "to the console");
  EXPECT_EQ(channel.written, "to the channel");
}

TEST_F(VirtioConsoleTest, OutputWaitsForRoomWithoutLosingAByte) {
  start();
  channel.room = 3;
  send(7, "abcdef");
  send(7, "abcdef");  // the same memory
  EXPECT_EQ(channel.written, "abc");
  EXPECT_FALSE(driver.queues[7].take_used());
  channel.room = SIZE_MAX;
  worker.run();
  EXPECT_EQ(channel.written, "abcdefabcdef");
  EXPECT_TRUE(driver.queues[7].take_used());
  EXPECT_TRUE(driver.queues[7].take_used());
}

TEST_F(VirtioConsoleTest, InputWaitsUntilTheGuestHasOpenedThePort) {
  start();
  channel.input = "input";
  driver.queues[6].add({{kData, 3, true}});
  driver.queues[6].add({{kData + 16, 3, true}});
  notify(6);
  EXPECT_FALSE(driver.queues[6].take_used());
  control(2, kPortOpen, 1);
  EXPECT_EQ(driver.queues[6].take_used()->written, 3U);
  EXPECT_EQ(driver.queues[6].take_used()->written, 2U);
  EXPECT_EQ(std::memcmp(driver.memory.bytes.data() + kData, "inp", 3), 0);
  channel.input = "more";
  worker.run();
  EXPECT_EQ(channel.input, "more");  // no buffer
  driver.queues[6].add({{kData, 16, true}});
  notify(6);
  EXPECT_EQ(driver.queues[6].take_used()->written, 4U);
}

TEST_F(VirtioConsoleTest, ADriverWithoutMultiportHasPort0Open) {
  start(0);
  console.input = "x";
  driver.queues[0].add({{kData, 4, true}});
  notify(0);
  EXPECT_EQ(driver.queues[0].take_used()->written, 1U);
  EXPECT_EQ(next_control(), "none");
}

TEST_F(VirtioConsoleTest, ADriverThatTakesNoMessagesCannotPileThemUp) {
  ASSERT_TRUE(driver.start(kFeatureMultiport));
  for (int i = 0; i < 100 && (driver.status() & virtio_spec::kNeedsReset) == 0; ++i)
    control(0, kDeviceReady, 1);
  EXPECT_NE(driver.status() & virtio_spec::kNeedsReset, 0);
}

TEST_F(VirtioConsoleTest, AShortControlMessageBreaksTheDevice) {
  start();
  driver.queues[kQueueControlTransmit].add({{kControlOut, 7}});
  notify(kQueueControlTransmit);
  EXPECT_NE(driver.status() & virtio_spec::kNeedsReset, 0);
}

TEST_F(VirtioConsoleTest, IgnoresPortsThatAreNotThere) {
  start();
  control(1, kPortReady, 1);
  control(0xFFFFFFFF, kPortOpen, 1);
  control(0, 99, 1);
  EXPECT_EQ(driver.status(), 0x0F);
}

}  // namespace
}  // namespace virttdx
