// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "backends/socket_port.h"
#include "backends/terminal_port.h"
#include "control/serial_console.h"
#include "stepped_task.h"

namespace virttdx {
namespace {

UniqueFd connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  UniqueFd client(::socket(AF_UNIX, SOCK_STREAM, 0));
  if (::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    client.reset();
  return client;
}

struct SocketPortTest : testing::Test {
  SocketPortTest() {
    config.id = "channel0";
    config.backend = CharacterBackend::UnixListen;
    config.path = path;
  }
  void open() {
    auto made = SocketPort::create(config, *worker);
    ASSERT_TRUE(made) << made.error().message();
    port = std::move(*made);
    worker->start();
  }
  void wait_connected(bool connected) {
    test::SteppedTask(*worker).run_until([&] {
      char unused = 0;  // reading finds the end of a connection
      port->read(std::as_writable_bytes(std::span(&unused, 1)));
      return port->is_connected() == connected;
    });
  }
  std::string read_port(std::size_t size) {
    std::string text;
    test::SteppedTask(*worker).run_until([&] {
      std::string part(size - text.size(), '?');
      text += part.substr(0, port->read(std::as_writable_bytes(std::span(part))));
      return text.size() == size;
    });
    return text;
  }
  const std::string path =
      (std::filesystem::temp_directory_path() / ("channel-" + std::to_string(::getpid()))).string();
  ConsolePortConfig config;
  std::unique_ptr<SocketPort> port;
  std::unique_ptr<Worker> worker = Worker::create("console").value();
};

TEST_F(SocketPortTest, ServesOneClientAfterTheOther) {
  open();
  for (int round = 0; round < 2; ++round) {
    UniqueFd client = connect_to(path);
    ASSERT_TRUE(client);
    wait_connected(true);
    ASSERT_EQ(::write(client.get(), "to the guest", 12), 12);
    EXPECT_EQ(read_port(12), "to the guest");
    test::SteppedTask(*worker).run_until(
        [&] { return port->write(std::as_bytes(std::span("from the guest", 14))) == 14; });
    std::string text(14, '?');
    EXPECT_EQ(::read(client.get(), text.data(), text.size()), 14);
    EXPECT_EQ(text, "from the guest");
    client.reset();
    wait_connected(false);
  }
}

TEST_F(SocketPortTest, TurnsASecondClientAway) {
  open();
  const UniqueFd first = connect_to(path);
  wait_connected(true);
  const UniqueFd second = connect_to(path);
  char byte = 0;
  EXPECT_EQ(::read(second.get(), &byte, 1), 0);
}

TEST_F(SocketPortTest, TheGuestWaitsForAClientThatDoesNotRead) {
  open();
  const UniqueFd client = connect_to(path);
  wait_connected(true);
  const std::string block(1 << 16, 'b');
  std::size_t taken = 0;
  bool is_full = false;
  test::SteppedTask task(*worker);
  task.run_until([&] {
    for (std::size_t count = 1; count != 0; taken += count)
      count = port->write(std::as_bytes(std::span(block)));
    return is_full = true;
  });
  EXPECT_TRUE(is_full);
  std::string read(taken, '?');
  for (std::size_t at = 0; at < taken;)
    at += static_cast<std::size_t>(std::max<ssize_t>(0, ::read(client.get(), read.data() + at, taken - at)));
  EXPECT_EQ(read, std::string(taken, 'b'));
  task.run_until([&] { return port->write(std::as_bytes(std::span(block))) > 0; });
}

TEST_F(SocketPortTest, OutputVanishesWhileNobodyIsConnected) {
  open();
  test::SteppedTask(*worker).run_until([&] { return port->write(std::as_bytes(std::span("lost", 4))) == 4; });
}

TEST_F(SocketPortTest, ReplacesASocketThatNobodyListensOnButNoOther) {
  {
    auto left_behind = SocketPort::create(config, *worker);
    ASSERT_TRUE(left_behind);
    EXPECT_FALSE(SocketPort::create(config, *worker));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  config.path = std::string(200, 'p');
  EXPECT_FALSE(SocketPort::create(config, *worker));
}

TEST_F(SocketPortTest, ConnectsAndFailsWhenNobodyListens) {
  config.backend = CharacterBackend::UnixConnect;
  const auto refused = SocketPort::create(config, *worker);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(),
            "channel 'channel0': cannot connect to '" + path + "': No such file or directory");
}

TEST(TerminalPort, WakesItsWorkerWhenInputArrives) {
  auto loop = EventLoop::create().value();
  auto console = SerialConsole::create(*loop, SerialConfig{}).value();
  auto worker = Worker::create("console").value();
  TerminalPort port(*console, *worker);
  worker->start();
  const UniqueFd client = console->attach(false).value();
  ASSERT_EQ(::write(client.get(), "x", 1), 1);
  loop->run_once(std::chrono::milliseconds(-1));
  test::SteppedTask(*worker).run_until([&] {
    char byte = 0;
    return port.read(std::as_writable_bytes(std::span(&byte, 1))) == 1 && byte == 'x';
  });
  port.write(std::as_bytes(std::span("y", 1)));
  char byte = 0;
  EXPECT_EQ(::read(client.get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
}

}  // namespace
}  // namespace virttdx
