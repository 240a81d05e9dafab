// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "support/result.h"

namespace virttdx::driver {

/// What a file of /proc or /sys says (such files tell no size beforehand), at most 1 MiB; empty when it
/// cannot be read.
std::string read_kernel_file(const std::filesystem::path& path);
/// Writes to a file that is there already.
Result<> write_kernel_file(const std::filesystem::path& path, std::string_view text);

}  // namespace virttdx::driver
