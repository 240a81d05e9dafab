// SPDX-License-Identifier: GPL-2.0-or-later
#include "rpc/client.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <QCoreApplication>
#include <QDeadlineTimer>
#include <array>
#include <vector>

#include "schemas/keepalive_protocol.h"
#include "schemas/virnet_protocol.h"

namespace virttdx::driver {
namespace {

constexpr FrameHeader kCall{.program = 1, .version = 1, .procedure = 3, .type = VIR_NET_CALL};

class ClientTest : public testing::Test {
 protected:
  void connect(const ClientLimits& limits) {
    std::array<int, 2> ends{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    peer_ = UniqueFd(ends[0]);
    client_ = Client::create(UniqueFd(ends[1]), limits);
    client_->start([this](const Frame& frame) { frames_.push_back(frame); }, [this] { closed_ = true; });
  }

  void peer_sends(const std::string& bytes) const {
    ASSERT_EQ(::send(peer_.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }

  template <typename Condition>
  static bool wait_for(Condition condition) {
    const QDeadlineTimer deadline(60'000);
    while (!condition() && !deadline.hasExpired())
      QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents, 100);
    return condition();
  }

  int argument_count_ = 0;
  QCoreApplication application_{argument_count_, nullptr};
  UniqueFd peer_;
  std::shared_ptr<Client> client_;
  std::vector<Frame> frames_;
  bool closed_ = false;
};

TEST_F(ClientTest, TakesNoMoreCallsThanMayWaitForTheirReply) {
  connect({.outstanding_calls = 2});
  client_->call_began();
  peer_sends(encode_frame(kCall, "a") + encode_frame(kCall, "b"));
  ASSERT_TRUE(wait_for([&] { return frames_.size() == 2; }));
  client_->call_began();
  peer_sends(encode_frame(kCall, "c"));
  QCoreApplication::processEvents();
  EXPECT_EQ(frames_.size(), 2U);
  client_->call_ended();
  EXPECT_TRUE(wait_for([&] { return frames_.size() == 3; }));
}

TEST_F(ClientTest, IsNotReadWhileAnybodyPausesIt) {
  connect({});
  const int console = 0, upload = 0;
  client_->set_paused(&console, true);
  client_->set_paused(&upload, true);
  client_->set_paused(&console, false);
  peer_sends(encode_frame(kCall, "a"));
  QCoreApplication::processEvents();
  EXPECT_TRUE(frames_.empty());
  client_->set_paused(&upload, false);
  EXPECT_TRUE(wait_for([&] { return frames_.size() == 1; }));
}

TEST_F(ClientTest, IsDroppedWhenItDoesNotReadWhatIsSent) {
  connect({.output_maximum = 1U << 20});
  const std::string payload(64U << 10, 'x');
  for (int i = 0; i < 64 && !closed_; ++i) client_->send(kCall, payload);
  EXPECT_TRUE(closed_);
}

TEST_F(ClientTest, IsDroppedWhenItAnswersNoKeepalive) {
  connect({.keepalive_interval = std::chrono::milliseconds(1), .keepalive_count = 2});
  client_->start_keepalive();
  ASSERT_TRUE(wait_for([&] { return closed_; }));
  FrameReader reader;
  std::array<char, 4096> buffer{};
  reader.append({buffer.data(), static_cast<std::size_t>(read(peer_.get(), buffer.data(), buffer.size()))});
  for (int i = 0; i < 2; ++i) {
    const auto ping = reader.next();
    ASSERT_TRUE(ping.has_value() && ping->has_value());
    EXPECT_EQ((*ping)->header.program, static_cast<std::uint32_t>(KEEPALIVE_PROGRAM));
    EXPECT_EQ((*ping)->header.procedure, KEEPALIVE_PROC_PING);
  }
}

TEST_F(ClientTest, NoticesThatThePeerIsGone) {
  connect({});
  peer_.reset();
  EXPECT_TRUE(wait_for([&] { return closed_; }));
}

}  // namespace
}  // namespace virttdx::driver
