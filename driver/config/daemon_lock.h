// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>

#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx::driver {

/// Takes the lock that only one daemon of these directories can hold, and writes the process's number into
/// the file. Held as long as the descriptor. Busy when another daemon has it.
Result<UniqueFd> take_daemon_lock(const std::filesystem::path& file);

}  // namespace virttdx::driver
