// SPDX-License-Identifier: GPL-2.0-or-later
// Intel 82093AA I/O APIC datasheet (290566-001), section 3; ICH9 Family Datasheet (316972-004), section 13.5.
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::io_apic_spec {

inline constexpr std::uint64_t kBase = 0xFEC00000;
inline constexpr std::uint64_t kSize = 0x1000;

// 3.1: memory-mapped registers.
inline constexpr std::uint64_t kSelect = 0x00;  // IOREGSEL
inline constexpr std::uint64_t kWindow = 0x10;  // IOWIN

// 3.2: registers behind the window.
inline constexpr std::uint8_t kId = 0x00;
inline constexpr std::uint8_t kVersion = 0x01;
inline constexpr std::uint8_t kArbitration = 0x02;
inline constexpr std::uint8_t kRedirectionTable = 0x10;  // two a pin: low half, high half
inline constexpr std::size_t kPins = 24;

inline constexpr std::uint32_t kIdMask = 0x0F000000;
inline constexpr std::uint32_t kVersionValue = 0x11 | (kPins - 1) << 16;

// 3.2.4: redirection table entry.
inline constexpr std::uint64_t kVector = 0xFF;
inline constexpr std::uint64_t kDeliveryMode = 0x700;
inline constexpr std::uint64_t kLogicalDestination = 1ULL << 11;
inline constexpr std::uint64_t kDeliveryStatus = 1ULL << 12;  // read-only
inline constexpr std::uint64_t kPolarityLow = 1ULL << 13;
inline constexpr std::uint64_t kRemoteIrr = 1ULL << 14;  // read-only
inline constexpr std::uint64_t kLevelTriggered = 1ULL << 15;
inline constexpr std::uint64_t kMasked = 1ULL << 16;
inline constexpr int kDestinationShift = 56;
// KVM_FEATURE_MSI_EXT_DEST_ID (Linux Documentation/virt/kvm/x86/cpuid.rst): destination bits 14:8 in entry
// bits 55:49 and in message address bits 11:5.
inline constexpr int kExtendedDestinationShift = 49;
inline constexpr std::uint64_t kWritable = 0xFFFE00000001AFFF;

// Intel SDM volume 3, "Message Address Register Format", "Message Data Register Format".
inline constexpr std::uint64_t kMessageAddress = 0xFEE00000;
inline constexpr std::uint64_t kMessageLogicalDestination = 1ULL << 2;
inline constexpr int kMessageDestinationShift = 12;
inline constexpr int kMessageExtendedDestinationShift = 5;
inline constexpr std::uint32_t kMessageAssert = 1U << 14;

}  // namespace virttdx::io_apic_spec
