// SPDX-License-Identifier: GPL-2.0-or-later
// x2APIC registers by MSR index. Intel SDM volume 3, chapter "Advanced Programmable Interrupt Controller",
// table "Local APIC Register Address Map Supported by x2APIC".
#pragma once

#include <cstdint>

namespace virttdx::softhost::apic {

inline constexpr std::uint32_t kFirstMsr = 0x800, kLastMsr = 0x83F;
inline constexpr std::uint32_t kId = 0x802, kVersion = 0x803, kTpr = 0x808, kPpr = 0x80A, kEoi = 0x80B,
                               kLdr = 0x80D, kSpuriousVector = 0x80F, kIsr0 = 0x810, kTmr0 = 0x818,
                               kIrr0 = 0x820, kErrorStatus = 0x828, kLvtCmci = 0x82F, kIcr = 0x830,
                               kLvtTimer = 0x832, kLvtThermal = 0x833, kLvtPerformance = 0x834,
                               kLvtLint0 = 0x835, kLvtLint1 = 0x836, kLvtError = 0x837, kInitialCount = 0x838,
                               kCurrentCount = 0x839, kDivide = 0x83E, kSelfIpi = 0x83F;
/// IA32_TSC_DEADLINE.
inline constexpr std::uint32_t kTscDeadlineMsr = 0x6E0;

/// Version register: integrated APIC, 7 LVT entries (highest index 6).
inline constexpr std::uint32_t kVersionValue = 0x00060014;
inline constexpr std::uint64_t kSoftwareEnable = 1U << 8;
inline constexpr std::uint32_t kLvtMasked = 1U << 16;
inline constexpr std::uint32_t kTimerModeMask = 3U << 17, kTimerOneShot = 0, kTimerPeriodic = 1U << 17,
                               kTimerTscDeadline = 2U << 17;
inline constexpr unsigned kFirstUsableVector = 16;

/// Delivery modes: bits 10:8 of ICR, LVT entries and MSI data.
enum class DeliveryMode : std::uint8_t {
  Fixed = 0,
  LowestPriority = 1,
  Smi = 2,
  Nmi = 4,
  Init = 5,
  StartUp = 6
};
/// Destination shorthand: bits 19:18 of ICR.
enum class Shorthand : std::uint8_t { None = 0, Self = 1, AllIncludingSelf = 2, AllExcludingSelf = 3 };
inline constexpr std::uint64_t kIcrLogical = 1U << 11;
inline constexpr std::uint32_t kBroadcast = 0xFFFFFFFF;

/// Error status: bits of ESR.
inline constexpr std::uint32_t kErrorSendIllegalVector = 1U << 5, kErrorReceiveIllegalVector = 1U << 6;

}  // namespace virttdx::softhost::apic
