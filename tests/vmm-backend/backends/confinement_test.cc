// SPDX-License-Identifier: GPL-2.0-or-later
// What a storage daemon may not do: a forbidden call fails, it does not end the daemon, whose libraries try
// some.
#include "backends/storage_daemon/confinement.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace virttdx {
namespace {

/// The errno of a call in a child under the filter; 0: it succeeded; below 0: a signal ended the child.
int error_under_filter(bool needs_network, long (*call)()) {
  const auto filter = storage_daemon_filter(needs_network);
  EXPECT_TRUE(filter);
  const pid_t child = ::fork();
  if (child == 0) {
    auto program = *filter;
    const sock_fprog loaded{static_cast<unsigned short>(program.size()), program.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &loaded) != 0)
      ::_exit(255);
    ::_exit(call() < 0 ? errno : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(StorageDaemonFilter, RefusesOtherProcessesNamespacesAndMounts) {
  EXPECT_EQ(error_under_filter(true, [] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }), EPERM);
  EXPECT_EQ(error_under_filter(true, [] { return long{::unshare(CLONE_FS)}; }), EPERM);
  EXPECT_EQ(error_under_filter(true, [] { return long{::mount("none", "/proc", "tmpfs", 0, nullptr)}; }),
            EPERM);
  EXPECT_EQ(error_under_filter(true, [] { return ::syscall(SYS_clone, CLONE_NEWUSER, nullptr); }), EPERM);
  EXPECT_EQ(error_under_filter(true, [] { return ::syscall(SYS_clone3, nullptr, 0); }), ENOSYS);
}

TEST(StorageDaemonFilter, LeavesNetworkSocketsToDisksOfTheNetwork) {
  const auto open_socket = [] { return long{::socket(AF_INET, SOCK_STREAM, 0)}; };
  EXPECT_EQ(error_under_filter(true, open_socket), 0);
  EXPECT_EQ(error_under_filter(false, open_socket), EPERM);
  EXPECT_EQ(error_under_filter(false, [] { return long{::socket(AF_UNIX, SOCK_STREAM, 0)}; }), 0);
}

}  // namespace
}  // namespace virttdx
