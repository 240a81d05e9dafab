// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "vmm_backend/cpuid.h"

namespace virttdx::tools {

/// "CPUID.07H.0", as findings and differences name a leaf and sub-leaf.
std::string leaf_name(const CpuidEntry& entry);
/// The four registers of each entry, one entry a line; of those that are all zeros only their number.
std::string cpuid_table(std::span<const CpuidEntry> entries);

}  // namespace virttdx::tools
