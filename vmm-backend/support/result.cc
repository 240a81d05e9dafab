// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/result.h"

#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace virttdx {

Error Error::from_errno(int system_errno, std::string_view what) {
  const Code code = system_errno == EACCES || system_errno == EPERM ? Code::PermissionDenied
                    : system_errno == ENOENT                        ? Code::NotFound
                    : system_errno == EINTR                         ? Code::Interrupted
                    : system_errno == ENOSPC                        ? Code::NoSpace
                                                                    : Code::System;
  return {code, fmt::format("{}: {}", what, std::generic_category().message(system_errno)), system_errno};
}

Error Error::with_context(std::string_view context) && {
  return {code_, fmt::format("{}: {}", context, message_), system_errno_};
}

void check_failed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, condition);
  std::abort();
}

}  // namespace virttdx
