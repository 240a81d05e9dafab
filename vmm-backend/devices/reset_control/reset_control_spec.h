// SPDX-License-Identifier: GPL-2.0-or-later
// Intel ICH9 Family Datasheet (316972-004), section 13.7.5, RST_CNT: Reset Control Register.
#pragma once

#include <cstdint>

namespace virttdx::reset_control_spec {

// Port 0xCF9, a byte inside the PCI configuration address register: see PciRoot.
inline constexpr std::uint8_t kSystemReset = 0x02;
inline constexpr std::uint8_t kResetCpu = 0x04;
inline constexpr std::uint8_t kFullReset = 0x08;
inline constexpr std::uint8_t kWritable = kSystemReset | kResetCpu | kFullReset;

}  // namespace virttdx::reset_control_spec
