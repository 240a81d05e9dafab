// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmm_backend/control_client.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

namespace virttdx {
namespace {

using namespace std::chrono_literals;

// A monitor's end that says what the test tells it: the connection is made, and its bytes are sent, before
// the client looks.
class AClient : public testing::Test {
 protected:
  AClient() {
    std::string name = testing::TempDir() + "virttdx-client-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    path_ = directory_ / "socket";
  }
  ~AClient() override { std::filesystem::remove_all(directory_); }

  void listen() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    listener_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener_.get(), 1), 0);
  }
  // connect() reads the greeting, so somebody has to write it meanwhile: a child process.
  Result<ControlClient> connect_greeted_with(std::string_view greeting) {
    listen();
    const pid_t child = ::fork();
    if (child == 0) {
      const int peer = ::accept(listener_.get(), nullptr, nullptr);
      [[maybe_unused]] const auto written = ::write(peer, greeting.data(), greeting.size());
      char byte = 0;
      while (::read(peer, &byte, 1) > 0) {
      }
      ::_exit(0);
    }
    return ControlClient::connect(path_, 10s);
  }

  std::filesystem::path directory_, path_;
  UniqueFd listener_;
};

TEST_F(AClient, FindsNobodyWhereNoSocketIs) {
  EXPECT_EQ(ControlClient::connect(path_, 1s).error().code(), Error::Code::NotFound);
}

TEST_F(AClient, IsRefusedWhereNobodyListens) {
  listen();
  listener_.reset();
  const auto client = ControlClient::connect(path_, 1s);
  EXPECT_EQ(client.error().system_errno(), ECONNREFUSED);
}

TEST_F(AClient, GivesUpWithoutAGreeting) {
  listen();
  EXPECT_EQ(ControlClient::connect(path_, 10ms).error().code(), Error::Code::TimedOut);
}

TEST_F(AClient, RefusesAPathThatNoSocketCanHave) {
  EXPECT_EQ(ControlClient::connect(std::string(108, 'x'), 1s).error().code(), Error::Code::InvalidArgument);
}

TEST_F(AClient, RefusesAnotherProtocolVersion) {
  const auto client = connect_greeted_with("{\"virttdx-monitor\":2}\n");
  EXPECT_EQ(client.error().code(), Error::Code::InvalidData);
  EXPECT_NE(client.error().message().find("protocol 2, this program 1"), std::string::npos);
}

TEST_F(AClient, RefusesWhatIsNoMonitor) {
  EXPECT_EQ(connect_greeted_with("SSH-2.0-OpenSSH\n").error().code(), Error::Code::InvalidData);
}

TEST_F(AClient, KeepsEventsThatArriveBeforeTheReply) {
  auto client = connect_greeted_with(
      "{\"virttdx-monitor\":1}\n{\"event\":\"paused\"}\n{\"id\":1,\"result\":{\"a\":2}}\n{\"event\":"
      "\"resumed\"}\n");
  ASSERT_TRUE(client);
  const auto reply = client->call("status", nlohmann::json::object(), 10s).value();
  EXPECT_EQ(reply.result.value()["a"], 2);
  std::vector<MonitorEventKind> kinds;
  while (kinds.size() < 2) {
    const auto messages = client->receive().value();
    for (const auto& message : messages) kinds.push_back(std::get<MonitorEvent>(message).kind);
  }
  EXPECT_EQ(kinds, (std::vector{MonitorEventKind::Paused, MonitorEventKind::Resumed}));
}

TEST_F(AClient, GetsTheMonitorsErrorAsItWas) {
  auto client = connect_greeted_with(
      "{\"virttdx-monitor\":1}\n"
      "{\"id\":1,\"error\":{\"code\":\"busy\",\"message\":\"taken\",\"errno\":16}}\n");
  const auto reply = client.value().call("console-attach", {}, 10s).value();
  EXPECT_EQ(reply.result.error().code(), Error::Code::Busy);
  EXPECT_EQ(reply.result.error().message(), "taken");
  EXPECT_EQ(reply.result.error().system_errno(), 16);
}

TEST_F(AClient, ReportsAReplyWithoutItsDescriptor) {
  auto client = connect_greeted_with("{\"virttdx-monitor\":1}\n{\"id\":1,\"result\":{},\"descriptors\":1}\n");
  const auto reply = client.value().call("console-attach", {}, 10s);
  EXPECT_EQ(reply.error().code(), Error::Code::InvalidData);
}

}  // namespace
}  // namespace virttdx
