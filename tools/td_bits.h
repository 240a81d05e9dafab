// SPDX-License-Identifier: GPL-2.0-or-later
// Names of TD attribute and XFAM bits: Intel TDX Module ABI specification, ATTRIBUTES and XFAM.
#pragma once

#include <cstdint>
#include <string>

namespace virttdx::tools {

/// "SEPT_VE_DISABLE [bit 28]", one a set bit, separated by ", "; "none".
std::string attribute_names(std::uint64_t attributes);
std::string xfam_names(std::uint64_t xfam);

}  // namespace virttdx::tools
