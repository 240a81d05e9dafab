// SPDX-License-Identifier: GPL-2.0-or-later
// OVMF's debug output device (edk2 OvmfPkg/README, "Debug messages"): one byte-wide port.
#pragma once

#include <cstdint>

namespace virttdx::debug_port_spec {

inline constexpr std::uint16_t kPort = 0x402;
inline constexpr std::uint8_t kPresent = 0xE9;  // what a read answers when something listens

}  // namespace virttdx::debug_port_spec
