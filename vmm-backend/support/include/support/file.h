// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace virttdx {

/// Reads a regular file whole. Refuses one larger than `maximum_size` bytes before allocating for it.
Result<std::vector<std::byte>> read_file(const std::filesystem::path& path, std::size_t maximum_size);

/// As read_file, as text.
Result<std::string> read_text_file(const std::filesystem::path& path, std::size_t maximum_size);

/// What replace_file() adds to the name of its temporary file; a crash can leave one behind.
inline constexpr std::string_view kUnfinishedSuffix = ".new";

/// Replaces or creates `path` so that a crash at any moment leaves the old or the new content, never a part:
/// temporary file in the same directory, fsync, rename. Which of both is certain after sync_directory() only.
Result<> replace_file(const std::filesystem::path& path, std::string_view content, mode_t mode);

/// Removes a file. A missing one is not an error: false. It may be back after a crash until sync_directory().
Result<bool> unlink_file(const std::filesystem::path& path);

/// Brings to the disk which files a directory has.
Result<> sync_directory(const std::filesystem::path& directory);

/// replace_file() and sync_directory().
Result<> write_file_atomically(const std::filesystem::path& path, std::string_view content, mode_t mode);

/// unlink_file() and sync_directory().
Result<> remove_file(const std::filesystem::path& path);

}  // namespace virttdx
