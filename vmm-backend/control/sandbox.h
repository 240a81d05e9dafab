// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "support/result.h"

namespace virttdx {

/// Takes from this process, all of its threads, what a running TD does not need: gaining privileges by exec
/// (no_new_privs), and every system call outside a list: no exec, no fork, no files created, no sockets but
/// Unix ones. A forbidden call is logged by its number and kills the process. Cannot be undone.
Result<> enter_sandbox();

}  // namespace virttdx
