// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace virttdx::softhost {

/// Of a descriptor that should be an eventfd: 0, -EBADF (not open) or -EINVAL (of another kind).
int check_eventfd(int fd);

}  // namespace virttdx::softhost
