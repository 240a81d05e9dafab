// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace virttdx::driver {

/// The numbers of the kernel's list format ("0-3,8"); stops at what is not one. At most 65536 numbers.
std::vector<std::uint32_t> parse_cpu_list(std::string_view text);

}  // namespace virttdx::driver
