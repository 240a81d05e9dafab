// SPDX-License-Identifier: GPL-2.0-or-later
// XFAM: which extended states a TD may use (Intel TDX Module Base Specification, XFAM).
#pragma once

#include <cstdint>
#include <string_view>

#include "vmm_backend/cpuid.h"

namespace virttdx::domain_xml {

/// x87 and SSE: fixed to 1.
inline constexpr std::uint64_t kXfamFixed1 = 0x3;

/// The largest valid XFAM within `offered`: groups whole, dependencies there.
std::uint64_t valid_xfam(std::uint64_t offered);

/// XFAM bits of the state that a CPU feature (libvirt's name) uses; 0: none.
std::uint64_t xfam_of_feature(std::string_view feature);

/// Clears in `entries` the CPUID bits that the TDX module clears with `xfam` and `attributes`, and makes leaf
/// 0xD say `xfam`.
void close_gates(CpuidEntries& entries, std::uint64_t xfam, std::uint64_t attributes);

}  // namespace virttdx::domain_xml
