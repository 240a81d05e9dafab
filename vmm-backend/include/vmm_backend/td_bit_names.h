// SPDX-License-Identifier: GPL-2.0-or-later
// Names of a TD's ATTRIBUTES and XFAM bits (Intel TDX Module ABI Reference Specification, module 1.5.34).
#pragma once

#include <cstdint>
#include <string>

namespace virttdx {

/// "SEPT_VE_DISABLE [bit 28], PKS [bit 30]"; "none" for 0. Pure; any thread.
std::string td_attribute_names(std::uint64_t attributes);
std::string xfam_names(std::uint64_t xfam);

}  // namespace virttdx
