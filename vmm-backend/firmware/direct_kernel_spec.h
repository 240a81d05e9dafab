// SPDX-License-Identifier: GPL-2.0-or-later
// The Linux/x86 boot protocol (Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header") and
// PE/COFF images (Microsoft PE Format, "File Headers").
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::direct_kernel_spec {

inline constexpr std::size_t kSetupSectors = 0x1F1;  // u8, 0 means 4
inline constexpr std::uint8_t kSetupSectorsWhen0 = 4;
inline constexpr std::size_t kSectorSize = 512;
inline constexpr std::size_t kHeaderSignature = 0x202;              // u32
inline constexpr std::uint32_t kHeaderSignatureValue = 0x53726448;  // "HdrS"
inline constexpr std::size_t kProtocolVersion = 0x206;              // u16
inline constexpr std::uint16_t kProtocolWithCommandLineSize = 0x206;
inline constexpr std::size_t kMaximumCommandLine = 0x238;  // u32, without the final NUL
inline constexpr std::size_t kHeaderEnd = 0x268;

inline constexpr std::uint16_t kDosSignature = 0x5A4D;  // "MZ"
inline constexpr std::size_t kPeOffset = 0x3C;          // u32
inline constexpr std::uint32_t kPeSignature = 0x4550;   // "PE\0\0"
inline constexpr std::size_t kPeMachine = 4;            // u16, from the PE signature on
inline constexpr std::uint16_t kMachineX86_64 = 0x8664;

}  // namespace virttdx::direct_kernel_spec
