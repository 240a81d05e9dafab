// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/host_terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <future>
#include <string>

namespace virttdx {
namespace {

// A child whose standard input and output are a terminal, with the console's other end and the terminal's
// master kept here.
class AHostTerminal : public testing::Test {
 protected:
  void SetUp() override {
    master_ = UniqueFd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(master_);
    ASSERT_EQ(::grantpt(master_.get()), 0);
    ASSERT_EQ(::unlockpt(master_.get()), 0);
    std::array<int, 2> pair{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    guest_ = UniqueFd(pair[0]);
    UniqueFd console(pair[1]);
    const UniqueFd terminal(::open(::ptsname(master_.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    child_ = ::fork();
    if (child_ == 0) {
      guest_.reset();
      master_.reset();
      ::dup2(terminal.get(), STDIN_FILENO);
      ::dup2(terminal.get(), STDOUT_FILENO);
      std::promise<void> left;
      {
        const auto host = HostTerminal::create(std::move(console), [&] { left.set_value(); });
        if (!host) ::_exit(1);
        left.get_future().wait();
      }
      termios settings{};
      ::tcgetattr(STDIN_FILENO, &settings);
      ::_exit((settings.c_lflag & ECHO) != 0 ? 0 : 2);  // restored
    }
  }
  static std::string read_exactly(const UniqueFd& fd, std::size_t size) {
    std::string text(size, '\0');
    std::size_t done = 0;
    while (done < size) {
      const auto count = ::read(fd.get(), text.data() + done, size - done);
      if (count <= 0) break;
      done += static_cast<std::size_t>(count);
    }
    return text.substr(0, done);
  }
  void type(std::string_view keys) {
    ASSERT_EQ(::write(master_.get(), keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  int end_of_child() {
    int status = 0;
    ::waitpid(child_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  UniqueFd master_, guest_;
  pid_t child_ = -1;
};

TEST_F(AHostTerminal, PassesBothWaysRawAndLeavesOnCtrlAX) {
  ASSERT_EQ(::write(guest_.get(), "Shell> \n", 8), 8);
  EXPECT_EQ(read_exactly(master_, 8), "Shell> \n") << "no carriage return is added: the terminal is raw";
  type("ver\r\x03");
  EXPECT_EQ(read_exactly(guest_, 5), "ver\r\x03");
  type("\x01\x01z");
  EXPECT_EQ(read_exactly(guest_, 2), "\x01z") << "Ctrl-A twice types one";
  type("\x01x");
  EXPECT_EQ(end_of_child(), 0) << "the terminal's settings are restored";
  EXPECT_EQ(read_exactly(guest_, 1), "") << "and the console is closed";
}

TEST_F(AHostTerminal, LeavesWhenTheTerminalHangsUp) {
  ASSERT_EQ(::write(guest_.get(), "x", 1), 1);
  EXPECT_EQ(read_exactly(master_, 1), "x");
  master_.reset();
  EXPECT_NE(end_of_child(), -1);
}

}  // namespace
}  // namespace virttdx
