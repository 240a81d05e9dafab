// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

namespace virttdx {

/// RAM of a TD: a multiple of the unit, for private memory comes in large pages. Above the largest, RAM would
/// leave the window of 64-bit BARs no room below 2^46, where firmware may place it.
inline constexpr std::uint64_t kRamUnit = 2ULL << 20;
inline constexpr std::uint64_t kRamMinimum = 64ULL << 20;
inline constexpr std::uint64_t kRamMaximum = 16ULL << 40;
inline constexpr auto kRamLimits = "64 MiB to 16 TiB";

}  // namespace virttdx
