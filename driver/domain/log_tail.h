// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>

namespace virttdx::driver {

/// The last line that is not blank of a log file of any size, at most 1 KiB of it; empty when there is none.
std::string last_line(const std::filesystem::path& file);

}  // namespace virttdx::driver
