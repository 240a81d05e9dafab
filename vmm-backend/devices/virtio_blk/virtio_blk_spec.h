// SPDX-License-Identifier: GPL-2.0-or-later
// Virtual I/O Device (VIRTIO) Version 1.2, section 5.2, "Block Device".
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::virtio_blk_spec {

inline constexpr std::uint16_t kPciClass = 0x0100;  // mass storage, SCSI: what drivers of disks look for
inline constexpr std::uint64_t kSectorSize = 512;

// 5.2.3: features.
inline constexpr std::uint64_t kFeatureSegMax = 1ULL << 2;
inline constexpr std::uint64_t kFeatureReadOnly = 1ULL << 5;
inline constexpr std::uint64_t kFeatureBlockSize = 1ULL << 6;
inline constexpr std::uint64_t kFeatureFlush = 1ULL << 9;
inline constexpr std::uint64_t kFeatureTopology = 1ULL << 10;
inline constexpr std::uint64_t kFeatureConfigWriteback = 1ULL << 11;
inline constexpr std::uint64_t kFeatureMultiQueue = 1ULL << 12;
inline constexpr std::uint64_t kFeatureDiscard = 1ULL << 13;
inline constexpr std::uint64_t kFeatureWriteZeroes = 1ULL << 14;

// 5.2.4: configuration.
inline constexpr std::size_t kConfigCapacity = 0;
inline constexpr std::size_t kConfigSegMax = 12;
inline constexpr std::size_t kConfigBlockSize = 20;
inline constexpr std::size_t kConfigPhysicalBlockExponent = 24;
inline constexpr std::size_t kConfigMinimumIo = 26;
inline constexpr std::size_t kConfigWriteback = 32;
inline constexpr std::size_t kConfigQueues = 34;
inline constexpr std::size_t kConfigDiscardMaximumSectors = 36;
inline constexpr std::size_t kConfigDiscardMaximumSegments = 40;
inline constexpr std::size_t kConfigDiscardAlignment = 44;
inline constexpr std::size_t kConfigZeroesMaximumSectors = 48;
inline constexpr std::size_t kConfigZeroesMaximumSegments = 52;
inline constexpr std::size_t kConfigZeroesMayUnmap = 56;
inline constexpr std::size_t kConfigSize = 60;

// 5.2.6: requests.
inline constexpr std::size_t kHeaderSize = 16;
inline constexpr std::size_t kHeaderSector = 8;
inline constexpr std::uint32_t kTypeIn = 0;
inline constexpr std::uint32_t kTypeOut = 1;
inline constexpr std::uint32_t kTypeFlush = 4;
inline constexpr std::uint32_t kTypeGetId = 8;
inline constexpr std::uint32_t kTypeDiscard = 11;
inline constexpr std::uint32_t kTypeWriteZeroes = 13;
inline constexpr std::size_t kIdSize = 20;
inline constexpr std::size_t kSegmentSize = 16;  // sector, number of sectors, flags
inline constexpr std::size_t kSegmentSectors = 8;
inline constexpr std::size_t kSegmentFlags = 12;
inline constexpr std::uint32_t kSegmentUnmap = 1;
inline constexpr std::uint8_t kStatusOk = 0;
inline constexpr std::uint8_t kStatusIoError = 1;
inline constexpr std::uint8_t kStatusUnsupported = 2;

}  // namespace virttdx::virtio_blk_spec
