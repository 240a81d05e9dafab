// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/serial_console.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "support/file.h"

namespace virttdx {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string guest_reads(SerialConsole& console) {
  std::array<std::byte, 256> buffer;
  std::string text;
  while (const auto count = console.read(buffer))
    text.append(reinterpret_cast<const char*>(buffer.data()), count);
  return text;
}

// All that stands in the socket or terminal now.
std::string all_of(int fd) {
  std::array<char, 4096> buffer;
  std::string text;
  pollfd entry{fd, POLLIN, 0};
  while (::poll(&entry, 1, 0) > 0) {
    const auto count = ::read(fd, buffer.data(), buffer.size());
    if (count <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return text;
}

class ASerialConsole : public testing::Test {
 protected:
  std::unique_ptr<SerialConsole> create(const SerialConfig& config = {}) {
    auto console = SerialConsole::create(*loop_, config).value();
    console->set_input_listener([this] { ++notified_; });
    return console;
  }
  void run_loop() { loop_->run_once(std::chrono::milliseconds(1000)); }

  std::unique_ptr<EventLoop> loop_ = EventLoop::create().value();
  int notified_ = 0;
};

TEST_F(ASerialConsole, GivesUnseenOutputFirst) {
  const auto console = create();
  console->write(bytes_of("BdsDxe: loading"));
  const auto end = console->attach(false).value();
  console->write(bytes_of(" Shell>"));
  EXPECT_EQ(all_of(end.get()), "BdsDxe: loading Shell>");
  EXPECT_TRUE(console->status().attached);
}

TEST_F(ASerialConsole, KeepsTheLast64KiBOnly) {
  const auto console = create();
  console->write(bytes_of("old" + std::string(3 * kUnseenOutputMaximum, 'x') + "new"));
  const auto end = console->attach(false).value();
  const auto text = all_of(end.get());
  EXPECT_EQ(text.size(), kUnseenOutputMaximum);
  EXPECT_EQ(text.substr(text.size() - 4), "xnew");
}

TEST_F(ASerialConsole, DoesNotGiveOutputTwice) {
  const auto console = create();
  console->write(bytes_of("first"));
  auto end = console->attach(false).value();
  EXPECT_EQ(all_of(end.get()), "first");
  end.reset();
  run_loop();
  EXPECT_FALSE(console->status().attached);
  console->write(bytes_of("second"));
  end = console->attach(false).value();
  EXPECT_EQ(all_of(end.get()), "second");
}

TEST_F(ASerialConsole, TakesOneAttachmentUnlessForced) {
  const auto console = create();
  const auto older = console->attach(false).value();
  EXPECT_EQ(console->attach(false).error().code(), Error::Code::Busy);
  const auto newer = console->attach(true).value();
  char byte = 0;
  EXPECT_EQ(::read(older.get(), &byte, 1), 0);
  console->write(bytes_of("x"));
  EXPECT_EQ(all_of(newer.get()), "x");
}

TEST_F(ASerialConsole, NeverBlocksOnAnAttachmentThatDoesNotRead) {
  const auto console = create();
  const auto end = console->attach(false).value();
  const std::string chunk(32 << 10, 'y');
  for (int i = 0; i < 100; ++i) console->write(bytes_of(chunk));
  console->write(bytes_of("last"));
  std::string text = all_of(end.get());
  run_loop();  // room again
  text += all_of(end.get());
  EXPECT_LT(text.size(), 1U << 20);
  EXPECT_EQ(text.substr(text.size() - 4), "last");
}

TEST_F(ASerialConsole, PassesInputOnAndTellsTheListener) {
  const auto console = create();
  const auto end = console->attach(false).value();
  EXPECT_EQ(guest_reads(*console), "");
  notified_ = 0;
  ASSERT_EQ(::write(end.get(), "ver\r", 4), 4);
  run_loop();
  EXPECT_EQ(notified_, 1);
  EXPECT_EQ(guest_reads(*console), "ver\r");
}

TEST_F(ASerialConsole, PassesOnWhatWasTypedBeforeTheEnd) {
  const auto console = create();
  auto end = console->attach(false).value();
  ASSERT_EQ(::write(end.get(), "reset\r", 6), 6);
  end.reset();
  run_loop();
  EXPECT_FALSE(console->status().attached);
  EXPECT_EQ(guest_reads(*console), "reset\r");
}

TEST_F(ASerialConsole, WritesItsLogFromTheStartOrAppends) {
  std::string name = testing::TempDir() + "virttdx-log-XXXXXX";
  const std::filesystem::path directory = ::mkdtemp(name.data());
  SerialConfig config;
  config.log_file = directory / "serial.log";
  create(config)->write(bytes_of("one"));
  create(config)->write(bytes_of("two"));
  EXPECT_EQ(read_text_file(*config.log_file, 100).value(), "two");
  config.log_append = true;
  create(config)->write(bytes_of("three"));
  EXPECT_EQ(read_text_file(*config.log_file, 100).value(), "twothree");
  std::filesystem::remove_all(directory);
}

TEST_F(ASerialConsole, NamesTheLogThatCannotBeOpened) {
  SerialConfig config;
  config.log_file = "/nonexistent/serial.log";
  const auto console = SerialConsole::create(*loop_, config);
  EXPECT_EQ(console.error().code(), Error::Code::NotFound);
  EXPECT_NE(console.error().message().find("/nonexistent/serial.log"), std::string::npos);
}

TEST_F(ASerialConsole, IsARawTerminalForWhoOpensIt) {
  SerialConfig config;
  config.pty = true;
  const auto console = create(config);
  console->write(bytes_of("nobody sees this"));
  const UniqueFd terminal(::open(console->status().pty_path.c_str(), O_RDWR | O_NOCTTY));
  ASSERT_TRUE(terminal);
  console->write(bytes_of("a\nb"));
  EXPECT_EQ(all_of(terminal.get()), "a\nb");
  ASSERT_EQ(::write(terminal.get(), "\x03ls\r", 4), 4);
  run_loop();
  EXPECT_EQ(guest_reads(*console), "\x03ls\r");
  EXPECT_EQ(all_of(terminal.get()), "") << "input is not echoed";
}

TEST_F(ASerialConsole, NeverBlocksOnATerminalThatNobodyReads) {
  SerialConfig config;
  config.pty = true;
  const auto console = create(config);
  const UniqueFd terminal(::open(console->status().pty_path.c_str(), O_RDWR | O_NOCTTY));
  const std::string chunk(64 << 10, 'z');
  for (int i = 0; i < 10; ++i) console->write(bytes_of(chunk));
}

}  // namespace
}  // namespace virttdx
