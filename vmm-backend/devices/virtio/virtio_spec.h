// SPDX-License-Identifier: GPL-2.0-or-later
// Virtual I/O Device (VIRTIO) Version 1.2, committee specification 01: sections 2.1, 2.7 (split virtqueues),
// 5 (device types) and 6 (reserved feature bits).
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::virtio_spec {

// 2.1: device status.
inline constexpr std::uint8_t kAcknowledge = 1;
inline constexpr std::uint8_t kDriver = 2;
inline constexpr std::uint8_t kDriverOk = 4;
inline constexpr std::uint8_t kFeaturesOk = 8;
inline constexpr std::uint8_t kNeedsReset = 64;
inline constexpr std::uint8_t kFailed = 128;

// 6: features of every device.
inline constexpr std::uint64_t kFeatureIndirectDescriptors = 1ULL << 28;
inline constexpr std::uint64_t kFeatureEventIndex = 1ULL << 29;
inline constexpr std::uint64_t kFeatureVersion1 = 1ULL << 32;
inline constexpr std::uint64_t kFeatureAccessPlatform = 1ULL << 33;
inline constexpr std::uint64_t kFeatureRingReset = 1ULL << 40;

// 2.7.5: descriptor table.
inline constexpr std::size_t kDescriptorSize = 16;
inline constexpr std::size_t kDescriptorLength = 8;
inline constexpr std::size_t kDescriptorFlags = 12;
inline constexpr std::size_t kDescriptorNext = 14;
inline constexpr std::uint16_t kFlagNext = 1;
inline constexpr std::uint16_t kFlagWrite = 2;
inline constexpr std::uint16_t kFlagIndirect = 4;

// 2.7.6: available ring. 2.7.8: used ring. Both: flags, index, ring, event.
inline constexpr std::size_t kRingFlags = 0;
inline constexpr std::size_t kRingIndex = 2;
inline constexpr std::size_t kRingEntries = 4;
inline constexpr std::size_t kAvailableEntrySize = 2;
inline constexpr std::size_t kUsedEntrySize = 8;
inline constexpr std::uint16_t kAvailableNoInterrupt = 1;
inline constexpr std::uint16_t kUsedNoNotify = 1;
inline constexpr std::uint16_t kQueueSizeMaximum = 32768;

// 5: device types.
inline constexpr std::uint16_t kDeviceNetwork = 1;
inline constexpr std::uint16_t kDeviceBlock = 2;
inline constexpr std::uint16_t kDeviceConsole = 3;
inline constexpr std::uint16_t kDeviceEntropy = 4;
inline constexpr std::uint16_t kDeviceBalloon = 5;
inline constexpr std::uint16_t kDeviceScsiHost = 8;
inline constexpr std::uint16_t kDeviceSocket = 19;

}  // namespace virttdx::virtio_spec
