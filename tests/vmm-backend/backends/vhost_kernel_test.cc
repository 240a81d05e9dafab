// SPDX-License-Identifier: GPL-2.0-or-later
// Queues that the kernel works on, with a driver in this process. Skipped where the kernel has no vhost.
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "backends/network_device.h"
#include "backends/vhost_kernel/vhost_vsock.h"
#include "devices/virtio_net/virtio_net.h"
#include "devices/virtio_vsock/offloaded_vsock.h"
#include "devices/virtio_vsock/virtio_vsock_spec.h"
#include "virtio_driver.h"

namespace virttdx {
namespace {

constexpr std::uint64_t kSent = test::VirtioDriver::kBuffers;
constexpr std::uint64_t kReceived = kSent + 0x10000;
constexpr std::uint32_t kRoom = 4096;

template <typename Address>
const sockaddr* generic(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

std::vector<DmaFile> memory_of(test::VirtioDriver& driver) {
  return {{.bytes = driver.memory.bytes, .fd = -1, .offset = 0, .gpa = {0}}};
}

/// Gives the receive queue buffers, and returns when `count` of them have come back in all.
class Receiver {
 public:
  explicit Receiver(test::VirtioDriver& driver) : driver_(driver), interrupts_(driver.queue_interrupts(0)) {}
  void give_room() {
    for (unsigned i = 0; i < 8; ++i) driver_.queues[0].add({{kReceived + i * kRoom, kRoom, true}});
    driver_.notify(0);
  }
  std::uint64_t next() {
    while (!driver_.queues[0].take_used())
      driver_.messages.wait_for(test::VirtioDriver::kConfigMessage + 1, ++interrupts_);
    return kReceived + buffers_++ * kRoom;
  }

 private:
  test::VirtioDriver& driver_;
  int interrupts_;
  unsigned buffers_ = 0;
};

struct VhostVsockTest : testing::Test {
  void SetUp() override {
    auto made = VhostVsock::create({.id = "vsock0", .address = {}, .guest_cid = 0});
    if (!made) GTEST_SKIP() << made.error().message();
    kernel = *std::move(made);
    device = std::make_unique<OffloadedVsock>(kernel->offload());
    driver = std::make_unique<test::VirtioDriver>(*device);
    ASSERT_TRUE(kernel->offload().queues->use_memory(memory_of(*driver)));
  }
  UniqueFd call_guest(unsigned port) const {
    UniqueFd socket(::socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK, 0));
    sockaddr_vm address{};
    address.svm_family = AF_VSOCK;
    address.svm_cid = kernel->offload().guest_cid;
    address.svm_port = port;
    EXPECT_EQ(::connect(socket.get(), generic(address), sizeof address), -1);
    EXPECT_EQ(errno, EINPROGRESS);
    return socket;
  }
  template <typename T>
  T header(std::uint64_t packet, std::size_t field) {
    return test::read_as<T>(driver->queues[0], packet + field);
  }
  /// Says yes to a request.
  void accept(std::uint64_t request) {
    using namespace virtio_vsock_spec;
    auto& queue = driver->queues[1];
    test::write_as<std::uint64_t>(queue, kSent + kHeaderSourceCid, kernel->offload().guest_cid);
    test::write_as<std::uint64_t>(queue, kSent + kHeaderDestinationCid, kHostCid);
    test::write_as<std::uint32_t>(queue, kSent + kHeaderSourcePort, 1234);
    test::write_as(queue, kSent + kHeaderDestinationPort, header<std::uint32_t>(request, kHeaderSourcePort));
    test::write_as<std::uint32_t>(queue, kSent + kHeaderLength, 0);
    test::write_as<std::uint16_t>(queue, kSent + kHeaderType, kTypeStream);
    test::write_as<std::uint16_t>(queue, kSent + kHeaderOperation, kOperationResponse);
    test::write_as<std::uint32_t>(queue, kSent + kHeaderFlags, 0);
    test::write_as<std::uint32_t>(queue, kSent + kHeaderBufferSpace, 0x10000);
    test::write_as<std::uint32_t>(queue, kSent + kHeaderForwarded, 0);
    queue.add({{kSent, kHeaderSize}});
    driver->notify(1);
  }
  void expect_a_conversation() {
    using namespace virtio_vsock_spec;
    ASSERT_TRUE(driver->start(0));
    Receiver receiver(*driver);
    receiver.give_room();
    const UniqueFd host = call_guest(1234);
    std::uint64_t request = receiver.next();
    // First what the end of an earlier conversation has left.
    while (header<std::uint16_t>(request, kHeaderOperation) == kOperationShutdown) request = receiver.next();
    EXPECT_EQ(header<std::uint64_t>(request, kHeaderSourceCid), kHostCid);
    EXPECT_EQ(header<std::uint64_t>(request, kHeaderDestinationCid), kernel->offload().guest_cid);
    EXPECT_EQ(header<std::uint16_t>(request, kHeaderOperation), kOperationRequest);
    EXPECT_EQ(header<std::uint32_t>(request, kHeaderDestinationPort), 1234U);
    accept(request);
    pollfd wait{.fd = host.get(), .events = POLLOUT, .revents = 0};
    ASSERT_EQ(::poll(&wait, 1, -1), 1);
    ASSERT_EQ(::send(host.get(), "hello", 5, MSG_NOSIGNAL), 5);
    const std::uint64_t data = receiver.next();
    EXPECT_EQ(header<std::uint16_t>(data, kHeaderOperation), kOperationData);
    EXPECT_EQ(header<std::uint32_t>(data, kHeaderLength), 5U);
  }
  std::unique_ptr<VhostVsock> kernel;
  std::unique_ptr<OffloadedVsock> device;
  std::unique_ptr<test::VirtioDriver> driver;
};

TEST_F(VhostVsockTest, ReachesTheGuestFromTheHost) {
  EXPECT_EQ(driver->device_config<std::uint64_t>(0), kernel->offload().guest_cid);
  expect_a_conversation();
}

TEST_F(VhostVsockTest, StartsAnewAfterAReset) {
  expect_a_conversation();
  driver->set_status(0);
  expect_a_conversation();
}

TEST_F(VhostVsockTest, GivesEachGuestAnotherContextId) {
  const auto cid = kernel->offload().guest_cid;
  const auto other = VhostVsock::create({.id = "vsock1", .address = {}, .guest_cid = 0}).value();
  EXPECT_NE(other->offload().guest_cid, cid);
  const auto same = VhostVsock::create({.id = "vsock2", .address = {}, .guest_cid = cid});
  ASSERT_FALSE(same);
  EXPECT_NE(same.error().message().find("another guest of the host has context id"), std::string::npos);
}

constexpr auto kFrame = "\xFF\xFF\xFF\xFF\xFF\xFF\x52\x54\x00\x12\x34\x56\x88\xB5";

struct VhostNetTest : testing::Test {
  void SetUp() override {
    NetworkInterfaceConfig config;
    config.id = "net0";
    config.mac = "52:54:00:12:34:56";
    config.device = "virttdx%d";
    config.vhost = true;
    auto made = open_network_device(config);
    if (!made) GTEST_SKIP() << made.error().message();
    network = *std::move(made);
    device = std::make_unique<VirtioNet>(*network);
    driver = std::make_unique<test::VirtioDriver>(*device);
    ASSERT_TRUE(network->offload(0)->use_memory(memory_of(*driver)));
    ASSERT_TRUE(driver->start(virtio_net_spec::kFeatureMergeableBuffers | virtio_net_spec::kFeatureStatus));
  }
  void send_from_host(char letter) const {
    const UniqueFd socket(::socket(AF_PACKET, SOCK_RAW, 0));
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(::if_nametoindex(network->statistics().device.c_str()));
    const std::string frame = std::string(kFrame, 14) + std::string(50, letter);
    ASSERT_EQ(::sendto(socket.get(), frame.data(), frame.size(), 0, generic(address), sizeof address), 64);
  }
  /// Of the next frame that send_from_host() sent: a host may have sent others (IPv6).
  char next_letter(Receiver& receiver) {
    while (true) {
      const auto frame = receiver.next() + virtio_net_spec::kHeaderSize;
      const std::string sent(reinterpret_cast<const char*>(driver->memory.bytes.data() + frame), 15);
      if (sent.compare(0, 14, kFrame, 14) == 0) return sent.back();
    }
  }
  std::unique_ptr<NetworkDevice> network;
  std::unique_ptr<VirtioNet> device;
  std::unique_ptr<test::VirtioDriver> driver;
};

TEST_F(VhostNetTest, MovesPacketsBothWays) {
  Receiver receiver(*driver);
  receiver.give_room();
  send_from_host('a');
  EXPECT_EQ(next_letter(receiver), 'a');
  const std::string packet =
      std::string(virtio_net_spec::kHeaderSize, '\0') + std::string(kFrame, 14) + std::string(50, 'x');
  driver->write_memory(kSent, std::as_bytes(std::span(packet)));
  driver->queues[1].add({{kSent, static_cast<std::uint32_t>(packet.size())}});
  driver->notify(1);
  driver->messages.wait_for(test::VirtioDriver::kConfigMessage + 2, 1);
  EXPECT_TRUE(driver->queues[1].take_used());
  EXPECT_EQ(network->statistics().sent_packets, 1U);
  EXPECT_EQ(network->statistics().sent_bytes, 64U);
  EXPECT_GE(network->statistics().received_packets, 1U);
}

TEST_F(VhostNetTest, MovesNothingWhileTheLinkIsDown) {
  Receiver receiver(*driver);
  receiver.give_room();
  network->link().set(false);
  EXPECT_EQ(driver->config_interrupts(), 1);
  send_from_host('a');
  network->link().set(true);
  send_from_host('b');
  EXPECT_EQ(next_letter(receiver), 'b');
}

}  // namespace
}  // namespace virttdx
