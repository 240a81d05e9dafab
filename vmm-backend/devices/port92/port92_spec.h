// SPDX-License-Identifier: GPL-2.0-or-later
// Intel ICH9 Family Datasheet (316972-004), section 13.7.4, PORT92: Fast A20 and Init Register.
#pragma once

#include <cstdint>

namespace virttdx::port92_spec {

inline constexpr std::uint16_t kPort = 0x92;
inline constexpr std::uint8_t kInitNow = 0x01;
inline constexpr std::uint8_t kAltA20Gate = 0x02;

}  // namespace virttdx::port92_spec
