// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/eventfd_argument.h"

#include <sys/stat.h>

#include <cerrno>

namespace virttdx::softhost {

// Files, sockets and pipes have a type; the inode that eventfds share with their like has none.
int check_eventfd(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return -EBADF;
  return (status.st_mode & S_IFMT) == 0 ? 0 : -EINVAL;
}

}  // namespace virttdx::softhost
