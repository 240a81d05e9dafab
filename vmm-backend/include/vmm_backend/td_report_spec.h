// SPDX-License-Identifier: GPL-2.0-or-later
// TDREPORT_STRUCT. Source: Intel TDX Module ABI Reference Specification, "TDREPORT_STRUCT",
// "REPORTMACSTRUCT", "TEE_TCB_INFO" and "TDINFO_STRUCT".
#pragma once

#include <cstddef>
#include <cstdint>

/// TDREPORT_STRUCT: offsets of REPORTMACSTRUCT, TEE_TCB_INFO and TDINFO fields from its start.
namespace virttdx::tdx::report {

inline constexpr std::size_t kSize = 1024, kDataSize = 64;
inline constexpr std::size_t kType = 0, kCpuSvn = 16, kTeeTcbInfoHash = 32, kTeeInfoHash = 80,
                             kReportData = 128, kMac = 224, kMacSize = 32, kMacStructSize = 256;
inline constexpr std::size_t kTeeTcbInfo = 256, kTeeTcbInfoSize = 239, kTeeTcbInfoAttributes = 376;
inline constexpr std::size_t kTdInfo = 512, kTdInfoSize = 512, kAttributes = 512, kXfam = 520, kMrtd = 528,
                             kMrConfigId = 576, kMrOwner = 624, kMrOwnerConfig = 672, kRtmr0 = 720;
inline constexpr std::uint8_t kTypeTdx = 0x81;

}  // namespace virttdx::tdx::report
