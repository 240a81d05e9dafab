// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio_vsock/virtio_vsock.h"

#include <gtest/gtest.h>

#include "memory_vsock.h"
#include "support/byte_order.h"
#include "virtio_driver.h"

namespace virttdx {
namespace {

using namespace virtio_vsock_spec;

constexpr std::uint64_t kOut = test::VirtioDriver::kBuffers;  // the packet that is sent
constexpr std::uint64_t kIn = kOut + 0x20000;                 // a row of buffers of kInSize bytes
constexpr std::uint32_t kInSize = 0x400, kInCount = 32;
constexpr std::uint32_t kGuestPort = 1000, kHostPort = 80;

struct Sent {
  std::uint16_t operation = 0;
  std::string payload{};
  std::uint32_t flags = 0;
  std::uint32_t buffer_space = 4096, forwarded = 0;
  std::uint32_t guest_port = kGuestPort, host_port = kHostPort;
  std::uint64_t source = 3, destination = kHostCid;
  std::uint16_t type = kTypeStream;
};

struct VirtioVsockTest : testing::Test {
  void start(unsigned buffers = kInCount) {
    ASSERT_TRUE(driver.start(0));
    for (unsigned i = 0; i < buffers; ++i) add_buffer();
  }
  void add_buffer() {
    driver.queues[kQueueReceive].add({{kIn + (buffers_added++ % kInCount) * kInSize, kInSize, true}});
    driver.notify(kQueueReceive);
    host.manual.pump();
  }
  void send(const Sent& sent) {
    std::vector<std::byte> bytes(kHeaderSize + sent.payload.size());
    store_le(std::span(bytes), kHeaderSourceCid, sent.source);
    store_le(std::span(bytes), kHeaderDestinationCid, sent.destination);
    store_le(std::span(bytes), kHeaderSourcePort, sent.guest_port);
    store_le(std::span(bytes), kHeaderDestinationPort, sent.host_port);
    store_le(std::span(bytes), kHeaderLength, static_cast<std::uint32_t>(sent.payload.size()));
    store_le(std::span(bytes), kHeaderType, sent.type);
    store_le(std::span(bytes), kHeaderOperation, sent.operation);
    store_le(std::span(bytes), kHeaderFlags, sent.flags);
    store_le(std::span(bytes), kHeaderBufferSpace, sent.buffer_space);
    store_le(std::span(bytes), kHeaderForwarded, sent.forwarded);
    std::ranges::copy(std::as_bytes(std::span(sent.payload)), bytes.begin() + kHeaderSize);
    send_bytes(bytes);
  }
  void send_bytes(std::span<const std::byte> bytes) {
    driver.write_memory(kOut, bytes);
    driver.queues[kQueueTransmit].add({{kOut, static_cast<std::uint32_t>(bytes.size())}});
    driver.notify(kQueueTransmit);
    host.manual.pump();
  }
  /// The next packet for the guest: "operation payload", with ":flags" behind an operation that has any.
  std::string next() {
    auto& queue = driver.queues[kQueueReceive];
    const auto used = queue.take_used();
    if (!used) return "none";
    last = kIn + (taken++ % kInCount) * kInSize;
    EXPECT_EQ(used->written, kHeaderSize + header<std::uint32_t>(kHeaderLength));
    std::string payload(header<std::uint32_t>(kHeaderLength), '?');
    std::memcpy(payload.data(), driver.memory.bytes.data() + last + kHeaderSize, payload.size());
    const auto flags = header<std::uint32_t>(kHeaderFlags);
    return fmt::format("{}{} {}", header<std::uint16_t>(kHeaderOperation),
                       flags == 0 ? "" : fmt::format(":{}", flags), payload);
  }
  /// A field of the packet that next() saw.
  template <typename T>
  T header(std::size_t offset) {
    return test::read_as<T>(driver.queues[kQueueReceive], last + offset);
  }
  /// A connection that the guest has asked for.
  test::MemoryConnection& connect(std::uint32_t buffer_space = 4096) {
    host.listening.insert(kHostPort);
    send({.operation = kOperationRequest, .buffer_space = buffer_space});
    EXPECT_EQ(next(), "2 ");
    return *host.connections.back();
  }
  void run_host() { host.manual.run(); }

  test::MemoryVsock host;
  VirtioVsock device{host};
  test::VirtioDriver driver{device};
  std::uint64_t last = 0;
  unsigned buffers_added = 0, taken = 0;
};

TEST_F(VirtioVsockTest, TellsTheGuestItsContextId) {
  EXPECT_EQ(driver.common<std::uint16_t>(virtio_pci_spec::kQueueCount), 3);
  EXPECT_EQ(driver.device_config<std::uint32_t>(kConfigGuestCid), 3U);
  EXPECT_EQ(driver.device_config<std::uint32_t>(kConfigGuestCid + 4), 0U);
}

TEST_F(VirtioVsockTest, ConnectsTheGuestToAPortOfTheHost) {
  start();
  auto& program = connect();
  EXPECT_EQ(header<std::uint64_t>(kHeaderSourceCid), kHostCid);
  EXPECT_EQ(header<std::uint64_t>(kHeaderDestinationCid), 3U);
  EXPECT_EQ(header<std::uint32_t>(kHeaderSourcePort), kHostPort);
  EXPECT_EQ(header<std::uint32_t>(kHeaderDestinationPort), kGuestPort);
  EXPECT_EQ(header<std::uint16_t>(kHeaderType), kTypeStream);
  send({.operation = kOperationData, .payload = "hello"});
  EXPECT_EQ(program.written, "hello");
  program.input = "world";
  run_host();
  EXPECT_EQ(next(), "5 world");
  EXPECT_EQ(header<std::uint32_t>(kHeaderForwarded), 5U);
}

TEST_F(VirtioVsockTest, ResetsConnectionsToPortsWhereNobodyListens) {
  start();
  send({.operation = kOperationRequest});
  EXPECT_EQ(next(), "3 ");
  send({.operation = kOperationData, .payload = "of no connection"});
  EXPECT_EQ(next(), "3 ");
  send({.operation = kOperationReset});
  EXPECT_EQ(next(), "none");
}

TEST_F(VirtioVsockTest, ConnectsTheHostToAPortOfTheGuest) {
  start();
  host.wanted = {22};
  run_host();
  EXPECT_EQ(next(), "1 ");
  EXPECT_EQ(header<std::uint32_t>(kHeaderDestinationPort), 22U);
  EXPECT_EQ(header<std::uint32_t>(kHeaderSourcePort), VirtioVsock::kFirstHostPort);
  auto& program = *host.connections.back();
  program.input = "before the guest has answered";
  run_host();
  EXPECT_EQ(next(), "none");
  send({.operation = kOperationResponse, .guest_port = 22, .host_port = VirtioVsock::kFirstHostPort});
  EXPECT_EQ(program.host_port, VirtioVsock::kFirstHostPort);
  EXPECT_EQ(next(), "5 before the guest has answered");
}

TEST_F(VirtioVsockTest, ClosesTheHostsEndWhenTheGuestRefuses) {
  start();
  host.wanted = {22};
  run_host();
  send({.operation = kOperationReset, .guest_port = 22, .host_port = VirtioVsock::kFirstHostPort});
  EXPECT_TRUE(host.connections.back()->closed);
  EXPECT_EQ(host.connections.back()->host_port, 0U);
}

TEST_F(VirtioVsockTest, ResetsARequestWhoseProgramHasGone) {
  start();
  host.wanted = {22};
  run_host();
  EXPECT_EQ(next(), "1 ");
  host.connections.back()->reads = false;
  run_host();
  EXPECT_EQ(next(), "3 ");
  EXPECT_TRUE(host.connections.back()->closed);
}

TEST_F(VirtioVsockTest, SendsNoMoreThanTheGuestHasRoomFor) {
  start();
  auto& program = connect(10);
  program.input = "0123456789abcdef";
  run_host();
  EXPECT_EQ(next(), "5 0123456789");
  EXPECT_EQ(next(), "none");
  send({.operation = kOperationCreditUpdate, .buffer_space = 10, .forwarded = 4});
  EXPECT_EQ(next(), "5 abcd");
  send({.operation = kOperationCreditUpdate, .buffer_space = 10, .forwarded = 15});
  EXPECT_EQ(next(), "none") << "the guest says that it took more than was sent";
  send({.operation = kOperationCreditUpdate, .buffer_space = 10, .forwarded = 14});
  EXPECT_EQ(next(), "5 ef");
}

TEST_F(VirtioVsockTest, TellsTheGuestWhenTheHostHasTakenHalfOfTheBuffer) {
  start();
  auto& program = connect();
  program.room = 0;
  const std::string half(VsockConnection::kBufferSpace / 2, 'x');
  send({.operation = kOperationData, .payload = half});
  EXPECT_EQ(next(), "none");
  program.room = SIZE_MAX;
  run_host();
  EXPECT_EQ(next(), "6 ");
  EXPECT_EQ(header<std::uint32_t>(kHeaderBufferSpace), VsockConnection::kBufferSpace);
  EXPECT_EQ(header<std::uint32_t>(kHeaderForwarded), half.size());
  send({.operation = kOperationCreditRequest});
  EXPECT_EQ(next(), "6 ");
}

TEST_F(VirtioVsockTest, ResetsAConnectionThatBreaksItsCredit) {
  start();
  auto& program = connect();
  program.room = 0;
  send({.operation = kOperationData, .payload = std::string(VsockConnection::kBufferSpace, 'x')});
  EXPECT_EQ(next(), "none");
  send({.operation = kOperationData, .payload = "y"});
  EXPECT_EQ(next(), "3 ");
  EXPECT_TRUE(program.closed);
  EXPECT_EQ(driver.status() & virtio_spec::kNeedsReset, 0);
}

TEST_F(VirtioVsockTest, EndsWhatTheGuestEndsBehindWhatItSent) {
  start();
  auto& program = connect();
  program.room = 2;
  send({.operation = kOperationData, .payload = "last"});
  send({.operation = kOperationShutdown, .flags = kShutdownSend});
  EXPECT_FALSE(program.guest_ended);
  program.room = SIZE_MAX;
  program.input = "still for the guest";
  run_host();
  EXPECT_EQ(program.written, "last");
  EXPECT_TRUE(program.guest_ended);
  EXPECT_EQ(next(), "5 still for the guest");
  send({.operation = kOperationShutdown, .flags = kShutdownBoth});
  EXPECT_EQ(next(), "3 ");
  EXPECT_TRUE(program.closed);
}

TEST_F(VirtioVsockTest, TellsTheGuestOfTheEndOfTheHostsBytes) {
  start();
  auto& program = connect();
  program.input = "last";
  program.ended = true;
  run_host();
  EXPECT_EQ(next(), "5 last");
  EXPECT_EQ(next(), "4:2 ");
  send({.operation = kOperationData, .payload = "answer"});
  EXPECT_EQ(program.written, "answer");
  send({.operation = kOperationShutdown, .flags = kShutdownSend});
  EXPECT_EQ(next(), "3 ");
}

TEST_F(VirtioVsockTest, ResetsAConnectionThatTheHostReadsNoMore) {
  start();
  auto& program = connect();
  program.reads = false;
  send({.operation = kOperationData, .payload = "for nobody"});
  EXPECT_EQ(next(), "3 ");
}

TEST_F(VirtioVsockTest, DropsPacketsInAnotherName) {
  start();
  host.listening.insert(kHostPort);
  send({.operation = kOperationRequest, .source = 4});
  EXPECT_EQ(next(), "none");
  send({.operation = kOperationRequest, .destination = 5});
  EXPECT_EQ(next(), "3 ");
  send({.operation = kOperationRequest, .type = 2});
  EXPECT_EQ(next(), "3 ");
  EXPECT_TRUE(host.connections.empty());
}

TEST_F(VirtioVsockTest, HearsAGuestNoMoreThatTakesNoAnswers) {
  start(0);
  for (std::uint32_t i = 0; i < 300; ++i) send({.operation = kOperationRequest, .guest_port = i});
  EXPECT_EQ(driver.queues[kQueueTransmit].used_index(), 256);
  for (unsigned i = 0; i < 300; ++i) add_buffer();
  EXPECT_EQ(driver.queues[kQueueTransmit].used_index(), 300);
  EXPECT_EQ(driver.queues[kQueueReceive].used_index(), 300);
}

TEST_F(VirtioVsockTest, RefusesMoreConnectionsThanItHolds) {
  start(0);
  host.listening.insert(kHostPort);
  for (std::uint32_t i = 0; i < VirtioVsock::kConnectionsMaximum + 1; ++i)
    send({.operation = kOperationRequest, .guest_port = i});
  EXPECT_EQ(host.connections.size(), VirtioVsock::kConnectionsMaximum);
  host.wanted = {22};
  run_host();
  EXPECT_TRUE(host.connections.back()->closed);
}

TEST_F(VirtioVsockTest, StopsAtAPacketThatCannotBeFollowedUntilItIsReset) {
  start();
  auto& program = connect();
  send_bytes(std::vector<std::byte>(kHeaderSize - 1));
  EXPECT_NE(driver.status() & virtio_spec::kNeedsReset, 0);
  EXPECT_TRUE(program.closed);
  buffers_added = taken = 0;
  start();
  EXPECT_EQ(driver.status() & virtio_spec::kNeedsReset, 0);
  connect();
}

TEST_F(VirtioVsockTest, StopsAtAPayloadThatIsNotThere) {
  start();
  std::vector<std::byte> bytes(kHeaderSize + 4);
  store_le(std::span(bytes), kHeaderLength, std::uint32_t{5});
  send_bytes(bytes);
  EXPECT_NE(driver.status() & virtio_spec::kNeedsReset, 0);
}

TEST_F(VirtioVsockTest, StopsAtABufferThatTakesNoPacket) {
  start(0);
  driver.queues[kQueueReceive].add({{kIn, kHeaderSize, true}});
  send({.operation = kOperationRequest});
  EXPECT_NE(driver.status() & virtio_spec::kNeedsReset, 0);
}

TEST_F(VirtioVsockTest, KeepsItsConnectionsWhenAQueueIsReset) {
  ASSERT_TRUE(driver.start(virtio_spec::kFeatureRingReset));
  for (unsigned i = 0; i < kInCount; ++i) add_buffer();
  auto& program = connect();
  driver.reset_queue(kQueueTransmit);
  driver.set_up_queue(kQueueTransmit);
  send({.operation = kOperationData, .payload = "after it"});
  EXPECT_EQ(program.written, "after it");
  driver.reset_queue(kQueueReceive);
  program.input = "waits";
  run_host();
  driver.set_up_queue(kQueueReceive);
  buffers_added = taken = 0;
  add_buffer();
  EXPECT_EQ(next(), "5 waits");
}

TEST_F(VirtioVsockTest, ForgetsItsConnectionsWhenItIsReset) {
  start();
  auto& program = connect();
  driver.set_status(0);
  EXPECT_TRUE(program.closed);
}

}  // namespace
}  // namespace virttdx
