// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace virttdx {

/// Whether the TDX module has a status of that class that is not success.
bool is_tdx_status(std::uint64_t value);

/// From "TDH_MNG_INIT": 21.
std::optional<std::uint64_t> seamcall_of_name(std::string_view name);

/// Where the constant `name` stands in `text` as a whole one; npos when it does not. A lower-case letter may
/// stand before it: a terminal's colour ("\x1b[31m") does.
std::size_t find_word(std::string_view text, std::string_view name);

}  // namespace virttdx
