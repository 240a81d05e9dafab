// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/network_device.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "devices/virtio_net/virtio_net_spec.h"
#include "stepped_task.h"
#include "support/macvtap_link.h"
#include "support/unique_fd.h"

namespace virttdx {
namespace {

using namespace virtio_net_spec;

NetworkInterfaceConfig interface_config() {
  NetworkInterfaceConfig config;
  config.id = "net0";
  config.mac = "52:54:00:12:34:56";
  return config;
}

NetworkInterfaceConfig passt_config() {
  auto config = interface_config();
  config.backend = NetworkBackend::Passt;
  return config;
}

/// Sends as a device does, until the back end takes the packet.
PacketQueue::Sent send(NetworkDevice& device, const std::string& frame) {
  std::string packet = std::string(kHeaderSize, '\0') + frame;
  const iovec buffer{packet.data(), packet.size()};
  auto sent = PacketQueue::Sent::Later;
  test::SteppedTask(device.queue(0).worker()).run_until([&] {
    sent = device.queue(0).send({&buffer, 1}, packet.size());
    return sent != PacketQueue::Sent::Later;
  });
  return sent;
}

/// The next frame, without its header.
std::string receive(NetworkDevice& device) {
  std::vector<std::byte> packet(kPacketMaximum);
  std::size_t size = 0;
  test::SteppedTask(device.queue(0).worker()).run_until([&] {
    size = device.queue(0).receive(packet);
    return size != 0;
  });
  return {reinterpret_cast<const char*>(packet.data()) + kHeaderSize, size - kHeaderSize};
}

struct StreamTest : testing::Test {
  void SetUp() override {
    std::array<int, 2> pair{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
    peer = UniqueFd(pair[0]);
    ::fcntl(pair[1], F_SETFL, O_NONBLOCK);
    auto made = create_stream_device(interface_config(), pair[1]);
    ASSERT_TRUE(made) << made.error().message();
    device = std::move(*made);
  }
  static std::string framed(const std::string& frame) {
    const std::uint32_t length = htonl(static_cast<std::uint32_t>(frame.size()));
    return std::string(reinterpret_cast<const char*>(&length), 4) + frame;
  }
  void write_peer(const std::string& bytes) {
    ASSERT_EQ(::write(peer.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  std::string read_peer(std::size_t size) {
    std::string bytes(size, '?');
    for (std::size_t at = 0; at < size;) {
      const ssize_t count = ::read(peer.get(), bytes.data() + at, size - at);
      if (count <= 0) return "closed";
      at += static_cast<std::size_t>(count);
    }
    return bytes;
  }
  UniqueFd peer;
  std::unique_ptr<NetworkDevice> device;
};

TEST_F(StreamTest, PutsEachFrameBehindItsLength) {
  EXPECT_EQ(send(*device, "first"), PacketQueue::Sent::Yes);
  EXPECT_EQ(send(*device, "second frame"), PacketQueue::Sent::Yes);
  const std::string expected = framed("first") + framed("second frame");
  EXPECT_EQ(read_peer(expected.size()), expected);
  EXPECT_EQ(device->statistics().sent_packets, 2U);
  EXPECT_EQ(device->statistics().sent_bytes, 17U);
}

TEST_F(StreamTest, TakesFramesApartHoweverTheyArrive) {
  write_peer(framed("one") + framed("two").substr(0, 5));
  EXPECT_EQ(receive(*device), "one");
  write_peer(framed("two").substr(5) + framed(std::string(9000, 'j')));
  EXPECT_EQ(receive(*device), "two");
  EXPECT_EQ(receive(*device), std::string(9000, 'j'));
  EXPECT_EQ(device->statistics().received_packets, 3U);
}

TEST_F(StreamTest, FramesWaitForAPeerThatDoesNotReadAndAllArrive) {
  const std::string frame(60000, 'f');
  constexpr int kFrames = 40;  // more than a socket buffers
  std::atomic<bool> is_read = false;
  std::thread reader([&] {
    const std::string expected = framed(frame);
    for (int i = 0; i < kFrames; ++i) EXPECT_EQ(read_peer(expected.size()), expected);
    is_read = true;
    ::eventfd_write(device->queue(0).worker().doorbell(), 1);
  });
  for (int i = 0; i < kFrames; ++i) EXPECT_EQ(send(*device, frame), PacketQueue::Sent::Yes);
  // What the socket had no room for goes when the worker is woken again.
  std::vector<std::byte> packet(kPacketMaximum);
  test::SteppedTask(device->queue(0).worker()).run_until([&] {
    EXPECT_EQ(device->queue(0).receive(packet), 0U);
    return is_read.load();
  });
  reader.join();
}

TEST_F(StreamTest, AFrameOfAnImpossibleLengthEndsTheConnection) {
  for (const std::uint32_t length : {0U, 0xFFFFFFFFU}) {
    SetUp();
    const std::uint32_t wire = htonl(length);
    write_peer(std::string(reinterpret_cast<const char*>(&wire), 4));
    std::vector<std::byte> packet(kPacketMaximum);
    test::SteppedTask(device->queue(0).worker()).run_until([&] {
      EXPECT_EQ(device->queue(0).receive(packet), 0U);
      return device->statistics().received_errors == 1;
    });
    EXPECT_TRUE(device->link().is_cut());
    EXPECT_EQ(send(*device, "lost"), PacketQueue::Sent::Dropped);
    EXPECT_EQ(device->statistics().sent_drops, 1U);
  }
}

TEST_F(StreamTest, PacketsAreDroppedWhenThePeerHasGone) {
  peer.reset();
  send(*device, "x");
  EXPECT_EQ(send(*device, "y"), PacketQueue::Sent::Dropped);
}

TEST(NetworkDevice, RefusesABadMacAddressAndQueuesThatAStreamHasNot) {
  auto config = interface_config();
  config.mac = "52:54:00:12:34";
  EXPECT_FALSE(network_properties(config));
  config.mac = "52:54:00:12:34:56x";
  EXPECT_FALSE(network_properties(config));
  config = interface_config();
  config.queue_pairs = 2;
  EXPECT_FALSE(create_stream_device(config, ::dup(0)));
}

TEST(NetworkDevice, WithholdsWhatIsOffAndWhatNeedsIt) {
  const auto withheld = [](std::vector<NetworkFeature> without) {
    auto config = interface_config();
    config.without = std::move(without);
    return network_properties(config).value().withheld;
  };
  EXPECT_EQ(withheld({}), 0U);
  EXPECT_EQ(withheld({NetworkFeature::MrgRxbuf}), kFeatureMergeableBuffers);
  EXPECT_EQ(withheld({NetworkFeature::HostTso4, NetworkFeature::GuestEcn}),
            kFeatureHostTso4 | kFeatureGuestEcn);
  EXPECT_EQ(withheld({NetworkFeature::Csum}),
            kFeatureChecksum | kFeatureHostTso4 | kFeatureHostTso6 | kFeatureHostEcn);
  EXPECT_EQ(withheld({NetworkFeature::GuestTso4, NetworkFeature::GuestTso6}),
            kFeatureGuestTso4 | kFeatureGuestTso6 | kFeatureGuestEcn);
}

// One DHCPDISCOVER (RFC 2131), which passt answers without any network. The lengths and the IPv4 checksum are
// those of this packet; UDP has none.
std::string dhcp_discover() {
  const std::string mac("\x52\x54\x00\x12\x34\x56", 6);
  const std::string ethernet = std::string(6, '\xFF') + mac + std::string("\x08\x00", 2);
  const std::string ip = std::string("\x45\x00\x01\x10\x00\x00\x00\x00\x40\x11\x79\xDE", 12) +
                         std::string(4, '\0') + std::string(4, '\xFF');
  const std::string udp("\x00\x44\x00\x43\x00\xFC\x00\x00", 8);
  const std::string bootp = std::string("\x01\x01\x06\x00\x12\x34\x56\x78", 8) + std::string(20, '\0') + mac +
                            std::string(10 + 64 + 128, '\0') +
                            std::string("\x63\x82\x53\x63\x35\x01\x01\xFF", 8);
  return ethernet + ip + udp + bootp;
}

TEST(Passt, AnswersDhcp) {
  if (std::system("passt --version >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "passt is absent: install package passt";
  auto made = open_network_device(passt_config());
  if (!made) GTEST_SKIP() << "passt does not start here: " << made.error().message();
  EXPECT_EQ(send(**made, dhcp_discover()), PacketQueue::Sent::Yes);
  std::string reply;
  // IPv6 neighbours may speak first.
  while (reply.size() < 42 || reply.substr(12, 2) != std::string("\x08\x00", 2)) reply = receive(**made);
  EXPECT_EQ(reply.substr(0, 6), std::string("\x52\x54\x00\x12\x34\x56", 6));
  EXPECT_EQ(reply.substr(34, 4), std::string("\x00\x43\x00\x44", 4));  // from port 67 to 68
}

// The only child of this process; proc_pid_stat(5).
pid_t child() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream stat(entry.path() / "stat");
    std::string text;
    std::getline(stat, text);
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos) continue;
    if (std::stol(text.substr(name_end + 4)) == ::getpid()) return std::stoi(entry.path().filename());
  }
  return 0;
}

TEST(Passt, ThatIsKilledLeavesAnInterfaceThatDropsPackets) {
  if (std::system("passt --version >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "passt is absent: install package passt";
  // It goes to the background: then it is this process's child again.
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  auto made = open_network_device(passt_config());
  if (!made) GTEST_SKIP() << "passt does not start here: " << made.error().message();
  const pid_t passt = child();
  ASSERT_GT(passt, 0);
  ASSERT_EQ(::kill(passt, SIGKILL), 0);
  EXPECT_EQ(::waitpid(passt, nullptr, 0), passt);
  while (send(**made, dhcp_discover()) == PacketQueue::Sent::Yes) continue;
  EXPECT_EQ(send(**made, dhcp_discover()), PacketQueue::Sent::Dropped);
  EXPECT_GT((*made)->statistics().sent_drops, 0U);
}

TEST(Tap, CarriesPacketsToTheHost) {
  auto config = interface_config();
  config.device = "virttdx%d";
  auto made = open_network_device(config);
  if (!made) GTEST_SKIP() << "no tap device can be made here: " << made.error().message();
  const std::string name = (*made)->statistics().device;
  EXPECT_EQ(name.find("virttdx"), 0U);
  EXPECT_NE((*made)->properties().offloads & kFeatureHostTso4, 0U);
  const std::string frame =
      std::string(6, '\xFF') + std::string("\x52\x54\x00\x12\x34\x56\x88\xB5", 8) + std::string(46, 'x');
  EXPECT_EQ(send(**made, frame), PacketQueue::Sent::Yes);
  std::ifstream packets("/sys/class/net/" + name + "/statistics/rx_packets");
  int count = 0;
  packets >> count;
  EXPECT_EQ(count, 1);
  EXPECT_EQ((*made)->statistics().sent_bytes, frame.size());
}

struct MacvtapTest : testing::Test {
  void SetUp() override {
    if (std::system("ip link add vtlow0 type dummy 2>/dev/null && ip link set vtlow0 up") != 0)
      GTEST_SKIP() << "no dummy device can be made here";
    config.backend = NetworkBackend::Macvtap;
    config.device = "macvtap%d";
    config.link = "vtlow0";
    auto made = open_network_device(config);
    if (!made && made.error().message().find("not supported") != std::string::npos)
      GTEST_SKIP() << made.error().message();
    ASSERT_TRUE(made) << made.error().message();
    device = *std::move(made);
    name = device->statistics().device;
  }
  void TearDown() override {
    device.reset();
    EXPECT_EQ(std::system("ip link del vtlow0 2>/dev/null") != 0, IsSkipped());
  }
  bool exists() const { return std::filesystem::exists("/sys/class/net/" + name); }
  NetworkInterfaceConfig config = interface_config();
  std::unique_ptr<NetworkDevice> device;
  std::string name;
};

TEST_F(MacvtapTest, IsALinkOfTheInterfacesAddressAsLongAsTheBackEnd) {
  EXPECT_EQ(name.find("macvtap"), 0U);
  std::string address;
  std::ifstream("/sys/class/net/" + name + "/address") >> address;
  EXPECT_EQ(address, config.mac);
  EXPECT_EQ(send(*device, std::string(6, '\xFF') + std::string(58, 'x')), PacketQueue::Sent::Yes);
  device.reset();
  EXPECT_FALSE(exists());
}

TEST_F(MacvtapTest, IsDeletedForAProcessThatWasKilled) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto other = config;
    other.mac = "52:54:00:12:34:57";
    const auto left = open_network_device(other);
    ::_exit(left ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(delete_macvtap_links("vtlow0", "52:54:00:12:34:57").value(), 1U);
  EXPECT_EQ(delete_macvtap_links("vtlow0", "52:54:00:12:34:57").value(), 0U);
  EXPECT_EQ(delete_macvtap_links("lo", config.mac).value(), 0U);
  EXPECT_TRUE(exists());
}

TEST(Macvtap, NamesALowerDeviceThatIsNotThere) {
  auto config = interface_config();
  config.backend = NetworkBackend::Macvtap;
  config.device = "macvtap%d";
  config.link = "nosuch0";
  EXPECT_EQ(open_network_device(config).error().message(),
            "interface 'net0': the host has no network device 'nosuch0'");
}

}  // namespace
}  // namespace virttdx
