// SPDX-License-Identifier: GPL-2.0-or-later
// Names of architectural bits (Intel SDM volume 3, chapter 2 and 4; volume 4 for MSRs).
#pragma once

#include <cstdint>

namespace virttdx::softhost {

namespace cr0 {
inline constexpr std::uint64_t kPe = 1, kMp = 1 << 1, kEm = 1 << 2, kTs = 1 << 3, kEt = 1 << 4, kNe = 1 << 5,
                               kWp = 1 << 16, kNw = 1 << 29, kCd = 1 << 30, kPg = 1ULL << 31;
}
/// Bit 63 of a value moved to CR3: keep the translations of its PCID. Not part of CR3.
inline constexpr std::uint64_t kCr3NoFlush = 1ULL << 63;
namespace cr4 {
inline constexpr std::uint64_t kPse = 1 << 4, kPae = 1 << 5, kPge = 1 << 7, kOsfxsr = 1 << 9, kUmip = 1 << 11,
                               kLa57 = 1 << 12, kFsgsbase = 1 << 16, kPcide = 1 << 17, kOsxsave = 1 << 18,
                               kSmep = 1 << 20, kSmap = 1 << 21, kPke = 1 << 22;
}
namespace efer {
inline constexpr std::uint64_t kSce = 1, kLme = 1 << 8, kLma = 1 << 10, kNxe = 1 << 11;
}
namespace dr6 {
inline constexpr std::uint64_t kSingleStep = 1 << 14;
}
namespace rflags {
inline constexpr std::uint64_t kFixed = 2, kArithmetic = 0x8d5, kTf = 1 << 8, kIf = 1 << 9, kDf = 1 << 10,
                               kIopl = 3 << 12, kNt = 1 << 14, kRf = 1 << 16, kVm = 1 << 17, kAc = 1 << 18;
}
namespace msr {
inline constexpr std::uint32_t kSysenterCs = 0x174, kSysenterEsp = 0x175, kSysenterEip = 0x176,
                               kX2apicTpr = 0x808, kXss = 0xda0, kStar = 0xc0000081, kLstar = 0xc0000082,
                               kFmask = 0xc0000084, kTscAux = 0xc0000103;
}
/// Exception vectors (SDM volume 3, table 6-1).
namespace vector {
inline constexpr std::uint8_t kDebug = 1, kNmi = 2, kInvalidOpcode = 6, kDeviceNotAvailable = 7,
                              kDoubleFault = 8, kInvalidTss = 10, kNotPresent = 11, kStackFault = 12,
                              kGeneralProtection = 13, kPageFault = 14, kAlignmentCheck = 17,
                              kVirtualization = 20, kControlProtection = 21;
}
/// Bits of a segment descriptor's upper double word, as the engine keeps them in its segment caches.
namespace descriptor {
inline constexpr std::uint32_t kAccessed = 1 << 8, kWritable = 1 << 9, kConforming = 1 << 10, kCode = 1 << 11,
                               kNotSystem = 1 << 12, kPresent = 1 << 15, kLong = 1 << 21, kBig = 1 << 22,
                               kGranularity = 1 << 23;
inline constexpr unsigned kDplShift = 13, kTypeShift = 8;
}  // namespace descriptor

}  // namespace virttdx::softhost
