// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers of TDG.VP.VMCALL. Source: Intel Guest-Host-Communication Interface for TDX (344426), sections 2.4
// and 3.
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::td_vmcall {

/// Sub-functions, R11.
inline constexpr std::uint64_t kGetTdVmCallInfo = 0x10000;
inline constexpr std::uint64_t kGetQuote = 0x10002;
inline constexpr std::uint64_t kSetupEventNotifyInterrupt = 0x10004;

/// Completion status, R10.
inline constexpr std::uint64_t kSuccess = 0;
inline constexpr std::uint64_t kRetry = 1;
inline constexpr std::uint64_t kInvalidOperand = 0x8000000000000000;
inline constexpr std::uint64_t kAlignError = 0x8000000000000002;

/// GetTdVmCallInfo leaf 1, R11: which optional sub-functions there are.
inline constexpr std::uint64_t kInfoSetupEventNotifyInterrupt = 1ULL << 1;

/// GetQuote's buffer: a header, then the report or the quote.
namespace quote {
inline constexpr std::size_t kVersion = 0;
inline constexpr std::size_t kStatus = 8;
inline constexpr std::size_t kInLength = 16;
inline constexpr std::size_t kOutLength = 20;
inline constexpr std::size_t kHeaderSize = 24;
inline constexpr std::uint64_t kVersion1 = 1;
inline constexpr std::uint64_t kStatusSuccess = 0;
inline constexpr std::uint64_t kStatusInFlight = ~0ULL;
inline constexpr std::uint64_t kStatusError = 0x8000000000000000;
inline constexpr std::uint64_t kStatusServiceUnavailable = 0x8000000000000001;
/// TDREPORT_STRUCT, the only thing that can be asked for.
inline constexpr std::uint32_t kReportSize = 1024;
/// This monitor's limit; Linux asks with this size.
inline constexpr std::uint64_t kMaximumBuffer = 128 << 10;
}  // namespace quote

/// Interrupt vectors that SetupEventNotifyInterrupt takes.
inline constexpr std::uint64_t kFirstVector = 32;
inline constexpr std::uint64_t kLastVector = 255;

}  // namespace virttdx::td_vmcall
