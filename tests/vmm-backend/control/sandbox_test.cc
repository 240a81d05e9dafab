// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace virttdx {
namespace {

// What a confined child's end was: its exit code, or minus the signal.
int end_of(void (*act)()) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!enter_sandbox()) ::_exit(99);
    act();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(Sandbox, LetsThreadsMemoryAndUnixSocketsBe) {
  EXPECT_EQ(end_of([] {
              std::thread([] {
                void* const memory =
                    ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                if (::mprotect(memory, 4096, PROT_READ | PROT_EXEC) != 0) ::_exit(1);
              }).join();
              int pair[2];
              if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) ::_exit(2);
              if (::open("/usr/share/ovmf/OVMF.fd", O_RDONLY | O_CLOEXEC) < 0 && errno != ENOENT) ::_exit(3);
            }),
            0);
}

TEST(Sandbox, SetsNoNewPrivileges) {
  // prctl(PR_GET_NO_NEW_PRIVS) is not on the list itself: /proc tells.
  EXPECT_EQ(end_of([] {
              char text[4096] = {};
              const int file = ::open("/proc/self/status", O_RDONLY);
              if (::read(file, text, sizeof text - 1) <= 0) ::_exit(1);
              const std::string_view status(text);
              if (status.find("NoNewPrivs:\t1") == std::string_view::npos) ::_exit(2);
              if (status.find("Seccomp:\t2") == std::string_view::npos) ::_exit(3);
            }),
            0);
}

TEST(Sandbox, KillsForExec) {
  EXPECT_EQ(end_of([] { ::execl("/bin/true", "true", nullptr); }), -SIGSYS);
}
TEST(Sandbox, KillsForFork) {
  EXPECT_EQ(end_of([] { ::fork(); }), -SIGSYS);
}
TEST(Sandbox, KillsForCreatingAFile) {
  EXPECT_EQ(end_of([] { ::open("/tmp/virttdx-sandbox", O_WRONLY | O_CREAT, 0600); }), -SIGSYS);
}
TEST(Sandbox, KillsForANetworkSocket) {
  EXPECT_EQ(end_of([] { ::socket(AF_INET, SOCK_STREAM, 0); }), -SIGSYS);
}

TEST(Sandbox, KillsForMakingARing) {
  EXPECT_EQ(end_of([] { ::syscall(SYS_io_uring_setup, 1, nullptr); }), -SIGSYS);
}
TEST(Sandbox, KillsForChangingMoreOfARingThanItsFile) {
  EXPECT_EQ(end_of([] { ::syscall(SYS_io_uring_register, -1, IORING_REGISTER_BUFFERS, nullptr, 0); }),
            -SIGSYS);
}

TEST(Sandbox, HoldsForThreadsThatRunAlready) {
  const pid_t child = ::fork();
  if (child == 0) {
    int pair[2];
    if (::pipe(pair) != 0) ::_exit(1);
    std::thread early([&] {
      char byte = 0;
      if (::read(pair[0], &byte, 1) == 1) ::socket(AF_INET, SOCK_STREAM, 0);
    });
    if (!enter_sandbox()) ::_exit(99);
    if (::write(pair[1], "x", 1) != 1) ::_exit(2);
    early.join();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

}  // namespace
}  // namespace virttdx
