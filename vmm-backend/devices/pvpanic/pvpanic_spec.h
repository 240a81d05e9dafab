// SPDX-License-Identifier: GPL-2.0-or-later
// QEMU, docs/specs/pvpanic.rst: the ISA device.
#pragma once

#include <cstdint>

namespace virttdx::pvpanic_spec {

inline constexpr std::uint16_t kPort = 0x505;
inline constexpr const char* kHardwareId = "QEMU0001";
/// A read gives the events that the host understands, a write tells of one.
inline constexpr std::uint8_t kPanicked = 0x01;     ///< for the host to handle
inline constexpr std::uint8_t kCrashLoaded = 0x02;  ///< the guest handles it itself (kdump)

}  // namespace virttdx::pvpanic_spec
