// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/control_server.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <thread>

#include "control/control_wire.h"
#include "fake_handler.h"

namespace virttdx {
namespace {

using namespace std::chrono_literals;
using test::FakeHandler;

class AControlServer : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "virttdx-server-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    path_ = directory_ / "td.monitor";
    loop_ = EventLoop::create().value();
    server_ = ControlServer::create(*loop_, path_, handler_).value();
    thread_ = std::thread([this] { loop_->run(); });
  }
  void TearDown() override {
    loop_->stop();
    thread_.join();
    server_.reset();
    EXPECT_FALSE(std::filesystem::exists(path_));
    std::filesystem::remove_all(directory_);
  }

  ControlClient client() { return ControlClient::connect(path_, 10s).value(); }
  UniqueFd raw_client() {
    const auto address = control_wire::socket_address(path_).value();
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return socket;
  }
  static void send_all(const UniqueFd& socket, std::string_view text) {
    while (!text.empty()) {
      const auto count = ::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  static std::string read_line(const UniqueFd& socket) {
    std::string line;
    char c = 0;
    while (::read(socket.get(), &c, 1) == 1 && c != '\n') line += c;
    return line;
  }
  static bool is_closed_after_greeting(const UniqueFd& socket) {
    while (!read_line(socket).empty()) {
    }
    char c = 0;
    return ::read(socket.get(), &c, 1) <= 0;
  }
  // What every test of a hostile client ends with: another client is served as before.
  void expect_still_served() {
    EXPECT_TRUE(client().call(control_command::kStatus, nlohmann::json::object(), 10s).value().result);
  }

  std::filesystem::path directory_, path_;
  FakeHandler handler_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<ControlServer> server_;
  std::thread thread_;
};

TEST_F(AControlServer, IsReachableByItsUserOnly) {
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(AControlServer, GreetsWithTheProtocolsNumber) {
  const auto greeting = nlohmann::json::parse(read_line(raw_client()));
  EXPECT_EQ(greeting["virttdx-monitor"], 1);
}

TEST_F(AControlServer, AnswersWithWhatTheHandlerSays) {
  auto one = client();
  EXPECT_TRUE(one.call(control_command::kPause, nlohmann::json::object(), 10s).value().result);
  const auto reply = one.call(control_command::kStatus, nlohmann::json::object(), 10s).value();
  EXPECT_EQ(monitor_status_from_json(reply.result.value()).value().state, VmState::Paused);
  const auto refused = one.call(control_command::kResume, nlohmann::json::object(), 10s).value();
  EXPECT_EQ(refused.result.error().code(), Error::Code::WrongState);
  EXPECT_EQ(refused.result.error().message(), "not paused");
}

TEST_F(AControlServer, HandsOverTheConsole) {
  const auto reply =
      client().call(control_command::kConsoleAttach, {{"port", 1}, {"force", true}}, 10s).value();
  ASSERT_TRUE(reply.result);
  ASSERT_TRUE(reply.fd);
  std::array<char, 6> text{};
  EXPECT_EQ(::read(reply.fd.get(), text.data(), text.size()), 6);
  EXPECT_EQ(std::string_view(text.data(), 6), "Shell>");
  EXPECT_EQ(handler_.attached_port, 1);
  EXPECT_TRUE(handler_.attached_force);
}

TEST_F(AControlServer, HandsOverAConsoleByItsDevice) {
  auto one = client();
  EXPECT_TRUE(one.call("console-attach", {{"device", "console1"}}, 10s).value().fd);
  EXPECT_EQ(handler_.attached_device, "console1");
  const auto both = one.call("console-attach", {{"device", "console1"}, {"port", 0}}, 10s).value();
  EXPECT_EQ(both.result.error().code(), Error::Code::InvalidArgument);
}

NetworkInterfaceConfig interface_config() {
  NetworkInterfaceConfig interface;
  interface.id = "net1";
  interface.mac = "52:54:00:12:34:56";
  interface.address.bus = 3;
  interface.device = "vnet7";
  return interface;
}

std::vector<UniqueFd> pipe_ends() {
  std::array<int, 2> pair{};
  EXPECT_EQ(::pipe(pair.data()), 0);
  std::vector<UniqueFd> ends;
  for (const int end : pair) ends.emplace_back(end);
  return ends;
}

TEST_F(AControlServer, HandsOnInterfacesWithTheirDescriptors) {
  auto one = client();
  const nlohmann::json arguments = {{"interface", interface_config_to_json(interface_config())}};
  EXPECT_TRUE(one.call(control_command::kDeviceAdd, arguments, 10s, pipe_ends()).value().result);
  EXPECT_EQ(handler_.added_interface, interface_config());
  ASSERT_EQ(handler_.came_with_it.size(), 2U);
  EXPECT_EQ(::write(handler_.came_with_it[1].get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(handler_.came_with_it[0].get(), &byte, 1), 1);
  EXPECT_TRUE(one.call(control_command::kDeviceAdd, arguments, 10s).value().result);
  EXPECT_TRUE(handler_.came_with_it.empty());
  // One that takes none closes what came.
  EXPECT_TRUE(one.call(control_command::kStatus, nlohmann::json::object(), 10s, pipe_ends()).value().result);
  const auto both = one.call(
      control_command::kDeviceAdd,
      {{"interface", interface_config_to_json(interface_config())}, {"disk", disk_config_to_json({})}}, 10s);
  EXPECT_FALSE(both.value().result);
}

TEST_F(AControlServer, RefusesDescriptorsThatDidNotCome) {
  const auto socket = raw_client();
  read_line(socket);
  send_all(socket, "{\"id\":1,\"command\":\"status\",\"descriptors\":2}\n");
  EXPECT_NE(read_line(socket).find("2 descriptors are announced, 0 have come"), std::string::npos);
  send_all(socket, "{\"id\":1,\"command\":\"status\",\"descriptors\":254}\n");
  EXPECT_NE(read_line(socket).find("/descriptors"), std::string::npos);
}

TEST_F(AControlServer, OpensTraysAndChangesMedia) {
  auto client = this->client();
  const auto call = [&](std::string_view command, const nlohmann::json& arguments) {
    return client.call(command, arguments, 10s).value().result;
  };
  const nlohmann::json drive = {{"id", "scsi0-0-0-0"}}, forced = {{"id", "scsi0-0-0-0"}, {"force", true}};
  EXPECT_EQ(call(control_command::kTrayOpen, drive).value(), (nlohmann::json{{"open", false}}));
  EXPECT_EQ(call(control_command::kTrayOpen, forced).value(), (nlohmann::json{{"open", true}}));
  EXPECT_EQ(call(control_command::kTrayOpen, {{"id", "vda"}}).error().code(), Error::Code::NotFound);
  DiskConfig disk;
  disk.id = "scsi0-0-0-0";
  disk.kind = DiskKind::Cdrom;
  ASSERT_TRUE(call(control_command::kMediumOffer, {{"disk", disk_config_to_json(disk)}}));
  EXPECT_EQ(handler_.offered.id, disk.id);
  ASSERT_TRUE(call(control_command::kMediumChange, drive));
  EXPECT_EQ(handler_.changed, disk.id);
}

TEST_F(AControlServer, HandsOnDisksToAddAndDevicesToRemove) {
  auto one = client();
  DiskConfig disk;
  disk.id = "virtio-disk1";
  disk.target = "vdb";
  disk.address.bus = 2;
  disk.source.emplace().path = "/image";
  const auto add = [&](const nlohmann::json& what) {
    return one.call(control_command::kDeviceAdd, {{"disk", what}}, 10s).value().result;
  };
  EXPECT_TRUE(add(disk_config_to_json(disk)));
  EXPECT_EQ(handler_.added, disk);
  EXPECT_TRUE(handler_.came_with_it.empty());
  EXPECT_TRUE(one.call(control_command::kDeviceAdd, {{"disk", disk_config_to_json(disk)}}, 10s, pipe_ends())
                  .value()
                  .result);
  EXPECT_EQ(handler_.came_with_it.size(), 2U);
  EXPECT_EQ(add("vdb").error().code(), Error::Code::InvalidData);
  EXPECT_TRUE(one.call(control_command::kDeviceRemove, {{"id", "virtio-disk1"}}, 10s).value().result);
  EXPECT_EQ(handler_.removed, "virtio-disk1");
  EXPECT_TRUE(one.call(control_command::kLinkSet, {{"id", "net0"}, {"up", false}}, 10s).value().result);
  EXPECT_FALSE(handler_.link_is_up);
  EXPECT_EQ(
      one.call(control_command::kLinkSet, {{"id", "net7"}, {"up", false}}, 10s).value().result.error().code(),
      Error::Code::NotFound);
  EXPECT_FALSE(one.call(control_command::kLinkSet, {{"id", "net0"}}, 10s).value().result);
  const auto without_id = one.call(control_command::kDeviceRemove, nlohmann::json::object(), 10s).value();
  EXPECT_EQ(without_id.result.error().code(), Error::Code::InvalidData);
}

TEST_F(AControlServer, HandsOnWhatARunningTdIsGiven) {
  auto one = client();
  DiskLimits limits;
  limits.read_bytes.per_second = 5;
  limits.group = "g";
  LifecycleActions actions;
  actions.crash = ResetAction::Preserve;
  const auto call = [&](std::string_view command, const nlohmann::json& arguments) {
    return one.call(command, arguments, 10s).value().result.has_value();
  };
  EXPECT_TRUE(
      call(control_command::kDiskLimits, {{"id", "virtio-disk1"}, {"limits", disk_limits_to_json(limits)}}));
  EXPECT_EQ(handler_.limits["virtio-disk1"], limits);
  EXPECT_TRUE(call(control_command::kDiskResize, {{"id", "virtio-disk1"}, {"bytes", 4096}}));
  EXPECT_EQ(handler_.sizes["virtio-disk1"], 4096U);
  EXPECT_TRUE(call(control_command::kSetActions, lifecycle_actions_to_json(actions)));
  EXPECT_EQ(handler_.actions.crash, ResetAction::Preserve);
  EXPECT_FALSE(handler_.actions.reset);
  EXPECT_FALSE(call(control_command::kDiskLimits, {{"id", "virtio-disk1"}}));
  EXPECT_FALSE(call(control_command::kDiskResize, {{"id", "virtio-disk1"}, {"bytes", -1}}));
  EXPECT_FALSE(call(control_command::kSetActions, {{"crash", "explode"}}));
}

TEST_F(AControlServer, SendsEventsToEveryClient) {
  auto one = client();
  auto two = client();
  loop_->post([this] { server_->broadcast({MonitorEventKind::Stopped, StopReason::GuestShutdown, "bye"}); });
  for (auto* each : {&one, &two}) {
    std::vector<ControlMessage> messages;
    while (messages.empty()) messages = each->receive().value();
    EXPECT_EQ(std::get<MonitorEvent>(messages.at(0)).message, "bye");
  }
}

TEST_F(AControlServer, RefusesUnknownCommandsAndArgumentsByName) {
  auto one = client();
  const auto unknown = one.call("explode", nlohmann::json::object(), 10s).value();
  EXPECT_EQ(unknown.result.error().code(), Error::Code::Unsupported);
  EXPECT_EQ(unknown.result.error().message(), "unknown command \"explode\"");
  const auto argument = one.call(control_command::kStatus, {{"port", 1}}, 10s).value();
  EXPECT_EQ(argument.result.error().message().rfind("/arguments: unknown member \"port\"", 0), 0U);
  const auto range = one.call(control_command::kConsoleAttach, {{"port", 256}}, 10s).value();
  EXPECT_EQ(range.result.error().message(), "/arguments/port: 256 is above the maximum 255");
}

TEST_F(AControlServer, AnswersGarbageWithAnErrorAndReadsOn) {
  const auto socket = raw_client();
  read_line(socket);
  send_all(socket, "\xff\xfe garbage\n[]\n{\"id\":7}\n{\"id\":8,\"command\":\"status\"}\n");
  for (int line = 0; line < 3; ++line)
    EXPECT_TRUE(nlohmann::json::parse(read_line(socket)).contains("error"));
  EXPECT_EQ(nlohmann::json::parse(read_line(socket))["id"], 8);
}

TEST_F(AControlServer, WaitsForTheRestOfALine) {
  const auto socket = raw_client();
  read_line(socket);
  send_all(socket, "{\"id\":3,\"comm");
  expect_still_served();
  send_all(socket, "and\":\"status\"}\n");
  EXPECT_EQ(nlohmann::json::parse(read_line(socket))["id"], 3);
}

TEST_F(AControlServer, AnswersAClientThatStopsSending) {
  const auto socket = raw_client();
  read_line(socket);
  send_all(socket, "{\"id\":3,\"command\":\"status\"}\n");
  ::shutdown(socket.get(), SHUT_WR);
  EXPECT_EQ(nlohmann::json::parse(read_line(socket))["id"], 3);
  EXPECT_TRUE(is_closed_after_greeting(socket));
}

TEST_F(AControlServer, EndsAClientWhoseLineIsTooLong) {
  const auto socket = raw_client();
  send_all(socket, std::string(kControlMessageMaximum + (128 << 10), 'x'));
  EXPECT_TRUE(is_closed_after_greeting(socket));
  expect_still_served();
}

TEST_F(AControlServer, DropsAClientThatNeverReads) {
  handler_.padding = std::string(512 << 10, 'x');
  const auto socket = raw_client();
  for (int i = 0; i < 64; ++i) send_all(socket, "{\"id\":1,\"command\":\"status\"}\n");
  EXPECT_TRUE(is_closed_after_greeting(socket));
  expect_still_served();
}

TEST_F(AControlServer, RefusesTheSeventeenthClient) {
  std::vector<ControlClient> clients;
  for (std::size_t i = 0; i < kControlClientsMaximum; ++i) clients.push_back(client());
  EXPECT_EQ(ControlClient::connect(path_, 10s).error().code(), Error::Code::WrongState);
  clients.clear();
}

TEST_F(AControlServer, IsNotReplacedWhileItLives) {
  const auto loop = EventLoop::create().value();
  EXPECT_EQ(ControlServer::create(*loop, path_, handler_).error().code(), Error::Code::AlreadyExists);
  expect_still_served();
}

TEST(ControlServerSocket, ThatADeadMonitorLeftIsReplaced) {
  std::string name = testing::TempDir() + "virttdx-stale-XXXXXX";
  const std::filesystem::path directory = ::mkdtemp(name.data());
  const auto address = control_wire::socket_address(directory / "s").value();
  {
    const UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  FakeHandler handler;
  const auto loop = EventLoop::create().value();
  EXPECT_TRUE(ControlServer::create(*loop, directory / "s", handler));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace virttdx
