// SPDX-License-Identifier: GPL-2.0-or-later
// A TDX quote of version 4 with an ECDSA P-256 attestation key. Source: Intel TDX DCAP Quoting Library API,
// appendix A.3 "Version 4 Quote Format". Little-endian; offsets from the start of each structure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::tools::quote_spec {

namespace header {
inline constexpr std::size_t kSize = 48, kVersion = 0, kAttestationKeyType = 2, kTeeType = 4,
                             kQeVendorId = 12, kUserData = 28;
inline constexpr std::uint16_t kVersion4 = 4, kEcdsaP256 = 2;
inline constexpr std::uint32_t kTdx = 0x81;
inline constexpr std::size_t kQeVendorIdSize = 16, kUserDataSize = 20;
}  // namespace header

/// TD quote body of TDX 1.0.
namespace body {
inline constexpr std::size_t kSize = 584, kTeeTcbSvn = 0, kMrSeam = 16, kMrSignerSeam = 64,
                             kSeamAttributes = 112, kTdAttributes = 120, kXfam = 128, kMrTd = 136,
                             kMrConfigId = 184, kMrOwner = 232, kMrOwnerConfig = 280, kRtmr0 = 328,
                             kReportData = 520;
}

/// SGX report of the quoting enclave, within the certification data.
namespace qe_report {
inline constexpr std::size_t kSize = 384, kReportData = 320;
}

inline constexpr std::size_t kSignatureSize = 64;  ///< r, s
inline constexpr std::size_t kPublicKeySize = 64;  ///< x, y
/// Types of certification data.
inline constexpr std::uint16_t kPckCertificateChain = 5, kQeReportCertificationData = 6;

}  // namespace virttdx::tools::quote_spec
