// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/unique_fd.h"

#include <unistd.h>

namespace virttdx {

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

}  // namespace virttdx
