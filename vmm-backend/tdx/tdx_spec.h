// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers of the TDX module's interface. Names and values: Intel TDX Module ABI Reference Specification
// (status codes, TD_PARAMS, ATTRIBUTES, XFAM, TDCS fields, TDCALL leaves), module 1.5.34.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmm_backend/td_report_spec.h"

namespace virttdx::tdx {

/// RAX of SEAMCALL and TDCALL: bit 63 error, 47:40 class, 39:32 details, 31:0 operand or level.
namespace status {
inline constexpr std::uint64_t kSuccess = 0;
inline constexpr std::uint64_t kNonRecoverableVcpu = 0x4000000100000000;
inline constexpr std::uint64_t kOperandInvalid = 0xC000010000000000;
inline constexpr std::uint64_t kOperandBusy = 0x8000020000000000;
inline constexpr std::uint64_t kRndNoEntropy = 0x8000020300000000;
inline constexpr std::uint64_t kOpStateIncorrect = 0xC000060800000000;
inline constexpr std::uint64_t kNoVcpus = 0xC000060900000000;
inline constexpr std::uint64_t kX2apicIdNotUnique = 0xC000062100000000;
inline constexpr std::uint64_t kNoValidVeInfo = 0xC000070400000000;
inline constexpr std::uint64_t kMaxVcpusExceeded = 0xC000070500000000;
inline constexpr std::uint64_t kCpuidLeaf1fFormatUnrecognized = 0xC000090400000000;
inline constexpr std::uint64_t kEptEntryFree = 0xC0000B0100000000;
inline constexpr std::uint64_t kEptEntryNotFree = 0xC0000B0200000000;
inline constexpr std::uint64_t kPageAlreadyAccepted = 0x00000B0A00000000;
inline constexpr std::uint64_t kPageSizeMismatch = 0xC0000B0B00000000;
inline constexpr std::uint64_t kMetadataFieldIdIncorrect = 0xC0000C0000000000;
inline constexpr std::uint64_t kMetadataFieldNotWritable = 0xC0000C0100000000;
inline constexpr std::uint64_t kMetadataFieldValueNotValid = 0xC0000C0300000000;
inline constexpr std::uint64_t kInvalidReportmacstruct = 0xC000100100000000;
/// Status without operand or level.
inline constexpr std::uint64_t kClassMask = 0xFFFFFFFF00000000;
}  // namespace status

/// Operand ids in bits 31:0 of a status.
namespace operand {
inline constexpr std::uint64_t kRax = 0, kRcx = 1, kRdx = 2, kR8 = 8;
inline constexpr std::uint64_t kAttributes = 64, kXfam = 65, kExecControls = 66, kEptpControls = 67,
                               kMaxVcpus = 68, kCpuidConfig = 69, kTscFrequency = 70, kNumL2Vms = 71,
                               kArchCapabilitiesConfig = 72, kRtmr = 168;
}  // namespace operand

/// Bit numbers of ATTRIBUTES.
namespace attribute {
inline constexpr unsigned kDebug = 0, kIcssd = 16, kLass = 27, kSeptVeDisable = 28, kMigratable = 29,
                          kPks = 30, kPerfmon = 63;
}
/// Bit numbers of XFAM: XCR0 and IA32_XSS features.
namespace xfam {
inline constexpr unsigned kX87 = 0, kSse = 1, kAvx = 2, kAvx512Opmask = 5, kZmmHi256 = 6, kHi16Zmm = 7,
                          kPt = 8, kPkru = 9, kCetU = 11, kCetS = 12, kUintr = 14, kLbr = 15, kTileCfg = 17,
                          kTileData = 18;
inline constexpr std::uint64_t kFixed1 = 0x3;
inline constexpr std::uint64_t kFixed0 = 0x0006DBE7;  ///< may be 1
inline constexpr std::uint64_t kXcr0Mask = 0x000602FF;
inline constexpr std::uint64_t kXssMask = 0x0001FD00;
}  // namespace xfam
/// Bit numbers of CONFIG_FLAGS.
namespace config_flag {
inline constexpr unsigned kGpaw = 0, kFlexiblePendingVe = 1, kNoRbpMod = 2, kMaxpaVirt = 3, kMaxgpaVirt = 4;
}
/// Bit numbers of TD_CTLS.
namespace td_control {
inline constexpr unsigned kPendingVeDisable = 0, kEnumTopology = 1, kVirtCpuid2 = 2, kReduceVe = 3,
                          kLock = 63;
}
/// Bit numbers of FEATURE_PARAVIRT_CTLS: features that a TD with REDUCE_VE wants to handle by #VE.
namespace feature_paravirt {
inline constexpr unsigned kCoreCapabilities = 0, kDca = 1, kEst = 2, kMca = 3, kMtrr = 4, kPconfig = 5,
                          kRdtA = 6, kRdtM = 7, kAcpi = 8, kTm2 = 9, kTme = 10, kTscDeadline = 11;
inline constexpr std::uint64_t kAll = 0xFFF;
}  // namespace feature_paravirt
/// TDCALL leaves (RAX bits 15:0).
namespace tdcall {
inline constexpr std::uint16_t kVpVmcall = 0, kVpInfo = 1, kMrRtmrExtend = 2, kVpVeinfoGet = 3, kMrReport = 4,
                               kVpCpuidveSet = 5, kMemPageAccept = 6, kVmRd = 7, kVmWr = 8, kVpRd = 9,
                               kVpWr = 10, kSysRd = 11, kMrVerifyreport = 22;
}

/// Metadata fields by class code (bits 61:56) and field code (bits 23:0) of their id.
namespace field {
inline constexpr std::uint64_t kClassAndCodeMask = 0x3F00000000FFFFFF;
inline constexpr std::uint64_t kAttributes = 0x1100000000000000, kXfam = 0x1100000000000001,
                               kMaxVcpus = 0x1100000000000002, kGpaw = 0x1100000000000003,
                               kTscOffset = 0x110000000000000A, kTscMultiplier = 0x110000000000000B,
                               kTscFrequency = 0x110000000000000C, kNotifyEnables = 0x1100000000000010,
                               kConfigFlags = 0x1100000000000016, kTdCtls = 0x1100000000000017,
                               kVirtMaxpa = 0x1100000000000018, kTopologyEnumConfigured = 0x1100000000000019,
                               kVeReductionValid = 0x110000000000001A,
                               kCpuidFixed0Bitmap = 0x1100000000000021,
                               kFeatureParavirtCtls = 0x1100000000000022, kMrtd = 0x1300000000000000,
                               kMrConfigId = 0x1300000000000010, kMrOwner = 0x1300000000000018,
                               kMrOwnerConfig = 0x1300000000000020, kRtmr = 0x1300000000000040,
                               kNumVcpus = 0x1000000000000001;
/// System fields (TDG.SYS.RD).
inline constexpr std::uint64_t kSysTdxFeatures0 = 0x0A00000000000008,
                               kSysAttributesFixed0 = 0x1900000000000000,
                               kSysAttributesFixed1 = 0x1900000000000001, kSysXfamFixed0 = 0x1900000000000002,
                               kSysXfamFixed1 = 0x1900000000000003, kSysNumCpuidConfig = 0x1900000000000004,
                               kSysMaxVcpusPerTd = 0x1900000000000008,
                               kSysCpuidConfigLeaves = 0x1900000000000400,
                               kSysCpuidConfigValues = 0x1900000000000500;
}  // namespace field

/// Bit numbers of TDX_FEATURES0.
inline constexpr unsigned kFeaturePendingEptViolationV2 = 16, kFeatureFmsConfig = 17, kFeatureNoRbpMod = 18,
                          kFeatureTopologyEnum = 20, kFeatureMaxpaVirt = 27, kFeatureCpuid2Virt = 29,
                          kFeatureVeReduction = 30, kFeatureMaxgpaVirt = 33;

inline constexpr std::uint16_t kMaxVcpusPerTd = 576;
inline constexpr std::uint16_t kMinTscFrequency = 4, kMaxTscFrequency = 400;  ///< units of kTscUnitHz
inline constexpr std::uint32_t kTscUnitHz = 25'000'000;
inline constexpr unsigned kMaxL2Vms = 3;
inline constexpr std::size_t kMeasurementSize = 48;  ///< SHA-384
inline constexpr std::size_t kRtmrCount = 4;
inline constexpr std::size_t kExtendChunkSize = 256;

}  // namespace virttdx::tdx
