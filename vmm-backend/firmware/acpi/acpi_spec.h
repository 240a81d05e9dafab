// SPDX-License-Identifier: GPL-2.0-or-later
// ACPI Specification 6.5, section 5.2 (system description tables); PCI Firmware Specification 3.3, section
// 4.1.2 (MCFG).
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::acpi_spec {

// 5.2.6 Header.
inline constexpr std::size_t kHeaderSize = 36;
inline constexpr std::size_t kHeaderLength = 4;
inline constexpr std::size_t kHeaderChecksum = 9;

// 5.2.5.3 RSDP.
inline constexpr std::size_t kRsdpSize = 36;
inline constexpr std::size_t kRsdpSizeRevision0 = 20;
inline constexpr std::size_t kRsdpChecksum = 8;
inline constexpr std::size_t kRsdpOemId = 9;
inline constexpr std::size_t kRsdpRevision = 15;
inline constexpr std::size_t kRsdpLength = 20;
inline constexpr std::size_t kRsdpXsdt = 24;
inline constexpr std::size_t kRsdpExtendedChecksum = 32;

// 5.2.9 FADT.
inline constexpr std::uint8_t kFadtRevision = 6;
inline constexpr std::uint8_t kFadtMinorRevision = 3;
inline constexpr std::size_t kFadtSize = 276;
inline constexpr std::size_t kSciInterrupt = 46;  // u16
inline constexpr std::size_t kPm1aEventBlock = 56;
inline constexpr std::size_t kPm1aControlBlock = 64;
inline constexpr std::size_t kPmTimerBlock = 76;
inline constexpr std::size_t kPm1EventLength = 88;
inline constexpr std::size_t kPm1ControlLength = 89;
inline constexpr std::size_t kPmTimerLength = 91;
inline constexpr std::size_t kC2Latency = 96;   // u16
inline constexpr std::size_t kC3Latency = 98;   // u16
inline constexpr std::size_t kCentury = 108;    // index in CMOS memory
inline constexpr std::size_t kBootFlags = 109;  // u16, IAPC_BOOT_ARCH
inline constexpr std::size_t kFadtFlags = 112;  // u32
inline constexpr std::size_t kResetRegister = 116;
inline constexpr std::size_t kResetValue = 128;
inline constexpr std::size_t kFadtMinor = 131;
inline constexpr std::size_t kXFacs = 132;
inline constexpr std::size_t kXDsdt = 140;
inline constexpr std::size_t kXPm1aEventBlock = 148;
inline constexpr std::size_t kXPm1aControlBlock = 172;
inline constexpr std::size_t kXPmTimerBlock = 208;
inline constexpr std::size_t kHypervisorIdentity = 268;

inline constexpr std::uint16_t kNoC2 = 101;   // more than 100 us: not supported
inline constexpr std::uint16_t kNoC3 = 1001;  // more than 1000 us: not supported

// 5.2.9.3 IAPC_BOOT_ARCH.
inline constexpr std::uint16_t kLegacyDevices = 1 << 0;
inline constexpr std::uint16_t kNoVga = 1 << 2;
inline constexpr std::uint16_t kNoAspmControl = 1 << 4;

// 5.2.9 flags.
inline constexpr std::uint32_t kWbinvd = 1 << 0;
inline constexpr std::uint32_t kC1OnAllProcessors = 1 << 2;
inline constexpr std::uint32_t kNoFixedSleepButton = 1 << 5;
inline constexpr std::uint32_t kNoFixedRtcWake = 1 << 6;
inline constexpr std::uint32_t kResetRegisterSupported = 1 << 10;

// 5.2.3.2 Generic address structure: space, bit width, bit offset, access size, address u64.
inline constexpr std::uint8_t kSystemIo = 1;
inline constexpr std::uint8_t kByteAccess = 1;
inline constexpr std::uint8_t kWordAccess = 2;
inline constexpr std::uint8_t kDwordAccess = 3;

// 5.2.10 FACS.
inline constexpr std::size_t kFacsSize = 64;
inline constexpr std::size_t kFacsVersion = 32;
inline constexpr std::uint8_t kFacsVersionValue = 2;

// 5.2.12 MADT.
inline constexpr std::uint8_t kMadtRevision = 5;
inline constexpr std::uint32_t kLocalApicAddress = 0xFEE00000;
inline constexpr std::uint8_t kLocalApicEntry = 0;
inline constexpr std::uint8_t kIoApicEntry = 1;
inline constexpr std::uint8_t kInterruptSourceOverride = 2;
inline constexpr std::uint8_t kLocalX2apicEntry = 9;
inline constexpr std::uint32_t kProcessorEnabled = 1;
inline constexpr std::uint32_t kX2apicIdsFrom = 255;   // 5.2.12.12: smaller ids in local APIC entries
inline constexpr std::uint16_t kActiveHighEdge = 0x5;  // 5.2.12.5, MPS INTI flags

// 5.2.16 SRAT.
inline constexpr std::uint8_t kSratRevision = 3;
inline constexpr std::uint8_t kApicAffinity = 0;
inline constexpr std::uint8_t kMemoryAffinity = 1;
inline constexpr std::uint8_t kX2apicAffinity = 2;
inline constexpr std::uint32_t kAffinityEnabled = 1;

// 5.2.17 SLIT.
inline constexpr std::uint8_t kSlitRevision = 1;

// MCFG.
inline constexpr std::uint8_t kMcfgRevision = 1;

inline constexpr std::uint8_t kXsdtRevision = 1;
inline constexpr std::uint8_t kDsdtRevision = 2;  // 2 or higher: 64-bit integers

}  // namespace virttdx::acpi_spec
