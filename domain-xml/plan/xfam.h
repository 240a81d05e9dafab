// SPDX-License-Identifier: GPL-2.0-or-later
// XFAM: which extended states a TD may use (Intel TDX Module Base Specification, XFAM).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "vmm_backend/cpuid.h"

namespace virttdx::domain_xml {

/// x87 and SSE: fixed to 1.
inline constexpr std::uint64_t kXfamFixed1 = 0x3;

/// A state component (Intel SDM volume 1, XSAVE-managed state; TDX Module ABI Specification, XFAM).
struct XfamBit {
  unsigned bit = 0;
  std::string_view name;
  bool module_allows = false;  ///< to be 1, where the hardware has it
};
/// In the order of the bits; others are reserved.
std::span<const XfamBit> xfam_bits();
/// "AVX", or "reserved".
std::string_view xfam_name(unsigned bit);

/// The largest valid XFAM within `offered`: groups whole, dependencies there.
std::uint64_t valid_xfam(std::uint64_t offered);

/// XFAM bits of the state that a CPU feature (libvirt's name) uses; 0: none.
std::uint64_t xfam_of_feature(std::string_view feature);

/// The features that have state, by libvirt's names.
std::span<const std::string_view> xfam_features();

/// Clears in `entries` the CPUID bits that the TDX module clears with `xfam` and `attributes`, and makes leaf
/// 0xD say `xfam`.
void close_gates(CpuidEntries& entries, std::uint64_t xfam, std::uint64_t attributes);

}  // namespace virttdx::domain_xml
