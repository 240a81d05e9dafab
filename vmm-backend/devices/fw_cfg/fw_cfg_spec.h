// SPDX-License-Identifier: GPL-2.0-or-later
// QEMU Firmware Configuration (fw_cfg) Device, docs/specs/fw_cfg.rst of QEMU. Offsets are those of the x86
// ports.
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::fw_cfg_spec {

inline constexpr std::uint16_t kBase = 0x510;
inline constexpr std::uint64_t kPorts = 12;
inline constexpr std::uint64_t kSelector = 0;    // 16 bits, write
inline constexpr std::uint64_t kData = 1;        // 8 bits, read
inline constexpr std::uint64_t kDmaAddress = 4;  // 64 bits, big-endian; writing the low half starts

// Item keys.
inline constexpr std::uint16_t kSignature = 0x00;
inline constexpr std::uint16_t kId = 0x01;
inline constexpr std::uint16_t kUuid = 0x02;
inline constexpr std::uint16_t kRamSize = 0x03;
inline constexpr std::uint16_t kCpuCount = 0x05;
inline constexpr std::uint16_t kKernelSize = 0x08;
inline constexpr std::uint16_t kInitrdSize = 0x0B;
inline constexpr std::uint16_t kBootMenu = 0x0E;
inline constexpr std::uint16_t kMaximumCpuCount = 0x0F;
inline constexpr std::uint16_t kKernelData = 0x11;
inline constexpr std::uint16_t kInitrdData = 0x12;
inline constexpr std::uint16_t kCommandLineSize = 0x14;
inline constexpr std::uint16_t kCommandLineData = 0x15;
inline constexpr std::uint16_t kSetupSize = 0x17;
inline constexpr std::uint16_t kSetupData = 0x18;
inline constexpr std::uint16_t kFileDirectory = 0x19;
inline constexpr std::uint16_t kFirstFile = 0x20;
inline constexpr std::uint16_t kKeyMask = 0x3FFF;  // bits 15:14 are attributes

inline constexpr std::uint32_t kIdTraditional = 1 << 0;
inline constexpr std::uint32_t kIdDma = 1 << 1;

// Directory: big-endian count, then entries of size, select, reserved, name.
inline constexpr std::size_t kDirectoryHeaderSize = 4;
inline constexpr std::size_t kFileNameSize = 56;
inline constexpr std::size_t kFileEntrySize = 64;
inline constexpr std::size_t kFileKeyOffset = 4;
inline constexpr std::size_t kFileNameOffset = 8;

// DMA descriptor: control u32, length u32, address u64, all big-endian.
inline constexpr std::size_t kDescriptorSize = 16;
inline constexpr std::uint32_t kDmaError = 1 << 0;
inline constexpr std::uint32_t kDmaRead = 1 << 1;
inline constexpr std::uint32_t kDmaSkip = 1 << 2;
inline constexpr std::uint32_t kDmaSelect = 1 << 3;
inline constexpr std::uint32_t kDmaWrite = 1 << 4;
inline constexpr std::uint64_t kDmaSignature =
    0x51454D5520434647;  // "QEMU CFG", read from the address register

}  // namespace virttdx::fw_cfg_spec
