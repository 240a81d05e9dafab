// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>

namespace virttdx::driver {

/// What a file of /proc or /sys says (such files tell no size beforehand), at most 1 MiB; empty when it
/// cannot be read.
std::string read_kernel_file(const std::filesystem::path& path);

}  // namespace virttdx::driver
