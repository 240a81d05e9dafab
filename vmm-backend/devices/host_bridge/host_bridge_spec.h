// SPDX-License-Identifier: GPL-2.0-or-later
// Intel 3 Series Express Chipset Family Datasheet (316966-002), section 5.1, "DRAM Controller (D0:F0)".
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::host_bridge_spec {

inline constexpr std::uint16_t kVendorIntel = 0x8086;
inline constexpr std::uint16_t kDeviceMch = 0x29C0;
inline constexpr std::uint8_t kRevision = 0x02;
inline constexpr std::uint16_t kCommandAtReset = 0x0006;  // 5.1.3: memory and bus master, read-only
inline constexpr std::uint16_t kCommandWritable = 0x0100;
inline constexpr std::uint16_t kStatus = 0x0080;  // 5.1.4, without its capabilities list

// 5.1.15 PCIEXBAR: 64 bits.
inline constexpr std::size_t kPciexbar = 0x60;
inline constexpr std::uint64_t kPciexbarAtReset = 0xE0000000;
inline constexpr std::uint64_t kPciexbarWritable = 0x0000000FFC000007;
inline constexpr std::uint64_t kPciexbarEnable = 0x1;
inline constexpr std::uint64_t kPciexbarLength = 0x6;  // 0: 256 MiB, 2: 128 MiB, 4: 64 MiB, 6: reserved
inline constexpr int kPciexbarLengthShift = 1;
inline constexpr std::uint64_t kPciexbarBase = 0x0000000FFC000000;
inline constexpr std::uint64_t kPciexbarLargest = 256U << 20;

// 5.1.18 to 5.1.24: PAM0 to PAM6; 5.1.32: SMRAM; 5.1.33: ESMRAMC. They hold what is written.
inline constexpr std::size_t kPam0 = 0x90;
inline constexpr std::size_t kPamCount = 7;
inline constexpr std::uint8_t kPamWritable = 0x33;
inline constexpr std::size_t kSmram = 0x9D;
inline constexpr std::uint8_t kSmramAtReset = 0x02;
inline constexpr std::uint8_t kSmramWritable = 0x78;
inline constexpr std::size_t kEsmramc = 0x9E;
inline constexpr std::uint8_t kEsmramcAtReset = 0x38;
inline constexpr std::uint8_t kEsmramcWritable = 0x07;

}  // namespace virttdx::host_bridge_spec
