// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>

namespace virttdx {

/// A status of the TDX module for people: "TDX_OPERAND_INVALID, operand XFAM (0xc000010000000041)".
std::string describe_tdx_status(std::uint64_t status);

}  // namespace virttdx
