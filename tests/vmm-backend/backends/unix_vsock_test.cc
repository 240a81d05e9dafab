// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/vsock/unix_vsock.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "stepped_task.h"

namespace virttdx {
namespace {

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

UniqueFd connect_to(const std::string& path) {
  const auto address = address_of(path);
  UniqueFd client(::socket(AF_UNIX, SOCK_STREAM, 0));
  if (::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    client.reset();
  return client;
}

UniqueFd listen_at(const std::string& path) {
  const auto address = address_of(path);
  UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM, 0));
  EXPECT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(listener.get(), 1), 0);
  return listener;
}

void send_to(const UniqueFd& client, std::string_view text) {
  EXPECT_EQ(::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
}

std::string read_until_end(const UniqueFd& client) {
  std::string text;
  char letter = 0;
  while (::recv(client.get(), &letter, 1, 0) == 1) text += letter;
  return text;
}

struct UnixVsockTest : testing::Test {
  UnixVsockTest() {
    std::filesystem::create_directories(directory);
    config.id = "vsock0";
  }
  ~UnixVsockTest() override {
    vsock.reset();
    std::filesystem::remove_all(directory);
  }
  void open() {
    auto made = UnixVsock::create(config, path);
    ASSERT_TRUE(made) << made.error().message();
    vsock = std::move(*made);
  }
  /// What the device gets of a client that wants a port.
  VsockBackend::Incoming accept() {
    std::optional<VsockBackend::Incoming> incoming;
    test::SteppedTask(vsock->worker()).run_until([&] {
      incoming = vsock->accept();
      return incoming.has_value();
    });
    return std::move(*incoming);
  }
  std::string read(VsockStream& stream, std::size_t size) {
    std::string text;
    test::SteppedTask(vsock->worker()).run_until([&] {
      // As the device: until there is nothing for now.
      while (text.size() < size) {
        std::string part(size - text.size(), '?');
        const auto count = stream.read(std::as_writable_bytes(std::span(part)));
        if (count == 0U) break;
        text += count ? part.substr(0, *count) : "END";
      }
      return text.size() >= size;
    });
    return text;
  }
  void on_worker(const std::function<void()>& task) {
    test::SteppedTask(vsock->worker()).run_until([&] {
      task();
      return true;
    });
  }

  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / ("vsock-" + std::to_string(::getpid()));
  const std::string path = (directory / "vsock").string();
  VsockConfig config;
  std::unique_ptr<UnixVsock> vsock;
};

TEST_F(UnixVsockTest, TellsAClientThatTheGuestHasTakenItsConnection) {
  open();
  EXPECT_EQ(vsock->guest_cid(), 3U);
  const auto client = connect_to(path);
  // What stands behind the line is the guest's.
  send_to(client, "CONNECT 1234\nfor the guest");
  auto incoming = accept();
  EXPECT_EQ(incoming.guest_port, 1234U);
  EXPECT_EQ(read(*incoming.stream, 13), "for the guest");
  on_worker([&] {
    incoming.stream->accepted(77);
    EXPECT_EQ(incoming.stream->write(std::as_bytes(std::span("of the guest", 12))), 12U);
    incoming.stream->end_writing();
  });
  EXPECT_EQ(read_until_end(client), "OK 77\nof the guest");
  on_worker([&] { incoming.stream.reset(); });
}

TEST_F(UnixVsockTest, EndsClientsThatDoNotSayAPort) {
  open();
  for (const auto* line : {"CONNECT \n", "CONNECT x\n", "CONNECT 1 \n", "CONNECT 4294967296\n", "HELLO 1\n",
                           "CONNECT 00000000000000000000000000001\n"}) {
    const auto client = connect_to(path);
    send_to(client, line);
    EXPECT_EQ(read_until_end(client), "") << line;
  }
}

TEST_F(UnixVsockTest, EndsClientsBeyondThoseThatMayWait) {
  open();
  std::vector<UniqueFd> clients;
  for (std::size_t i = 0; i < UnixVsock::kWaitingMaximum; ++i) {
    clients.push_back(connect_to(path));
  }
  const auto one_more = connect_to(path);
  EXPECT_EQ(read_until_end(one_more), "");
}

TEST_F(UnixVsockTest, ForgetsAClientThatHasGone) {
  open();
  {
    const auto gone = connect_to(path);
    send_to(gone, "CONNECT 1\n");
  }
  const auto client = connect_to(path);
  send_to(client, "CONNECT 2\n");
  auto incoming = accept();
  EXPECT_EQ(incoming.guest_port, 2U);
  on_worker([&] { incoming.stream.reset(); });
}

TEST_F(UnixVsockTest, ConnectsTheGuestToTheSocketOfAPort) {
  open();
  const auto listener = listen_at(path + "_80");
  std::unique_ptr<VsockStream> stream;
  on_worker([&] {
    EXPECT_EQ(vsock->connect(81), nullptr);
    stream = vsock->connect(80);
  });
  ASSERT_NE(stream, nullptr);
  UniqueFd program(::accept(listener.get(), nullptr, nullptr));
  on_worker([&] {
    stream->accepted(80);
    EXPECT_EQ(stream->write(std::as_bytes(std::span("GET /", 5))), 5U);
    stream->end_writing();
  });
  EXPECT_EQ(read_until_end(program), "GET /");
  send_to(program, "200");
  program.reset();
  EXPECT_EQ(read(*stream, 6), "200END");
  on_worker([&] {
    EXPECT_FALSE(stream->write(std::as_bytes(std::span("more", 4))));
    stream.reset();
  });
}

TEST_F(UnixVsockTest, WaitsForAProgramThatDoesNotRead) {
  open();
  const auto client = connect_to(path);
  send_to(client, "CONNECT 5\n");
  auto incoming = accept();
  const std::string bytes(1 << 16, 'x');
  std::size_t written = 0;
  on_worker([&] {
    incoming.stream->accepted(9);
    while (const auto count = *incoming.stream->write(std::as_bytes(std::span(bytes)))) written += count;
  });
  std::string read_back(written + 5, '?');
  EXPECT_EQ(::recv(client.get(), read_back.data(), read_back.size(), MSG_WAITALL),
            static_cast<ssize_t>(read_back.size()));
  test::SteppedTask(vsock->worker()).run_until([&] {
    return *incoming.stream->write(std::as_bytes(std::span(bytes))) > 0;
  });
  on_worker([&] { incoming.stream.reset(); });
}

TEST_F(UnixVsockTest, NeedsRoomForTheSocketsOfPorts) {
  const auto made = UnixVsock::create(config, "/" + std::string(96, 'v'));
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message().find("_4294967295' is not a path of 1 to 107 bytes"), std::string::npos);
}

TEST_F(UnixVsockTest, ReplacesASocketThatNobodyListensOn) {
  { const auto left_behind = listen_at(path); }
  open();
  EXPECT_TRUE(connect_to(path));
  auto second_config = config;
  second_config.id = "vsock1";
  const auto second = UnixVsock::create(second_config, path);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message().find("vsock 'vsock1': cannot bind"), std::string::npos);
  vsock.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace virttdx
