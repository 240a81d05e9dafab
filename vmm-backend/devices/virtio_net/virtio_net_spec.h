// SPDX-License-Identifier: GPL-2.0-or-later
// Virtual I/O Device (VIRTIO) Version 1.2, section 5.1, "Network Device".
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::virtio_net_spec {

inline constexpr std::uint16_t kPciClass = 0x0200;  // network, Ethernet

// 5.1.3: features.
inline constexpr std::uint64_t kFeatureChecksum = 1ULL << 0;
inline constexpr std::uint64_t kFeatureGuestChecksum = 1ULL << 1;
inline constexpr std::uint64_t kFeatureMtu = 1ULL << 3;
inline constexpr std::uint64_t kFeatureMac = 1ULL << 5;
inline constexpr std::uint64_t kFeatureGuestTso4 = 1ULL << 7;
inline constexpr std::uint64_t kFeatureGuestTso6 = 1ULL << 8;
inline constexpr std::uint64_t kFeatureGuestEcn = 1ULL << 9;
inline constexpr std::uint64_t kFeatureHostTso4 = 1ULL << 11;
inline constexpr std::uint64_t kFeatureHostTso6 = 1ULL << 12;
inline constexpr std::uint64_t kFeatureHostEcn = 1ULL << 13;
inline constexpr std::uint64_t kFeatureMergeableBuffers = 1ULL << 15;
inline constexpr std::uint64_t kFeatureStatus = 1ULL << 16;
inline constexpr std::uint64_t kFeatureControlQueue = 1ULL << 17;
inline constexpr std::uint64_t kFeatureMultiQueue = 1ULL << 22;

// 5.1.4: configuration.
inline constexpr std::size_t kConfigMac = 0;
inline constexpr std::size_t kConfigStatus = 6;
inline constexpr std::size_t kConfigQueuePairs = 8;
inline constexpr std::size_t kConfigMtu = 10;
inline constexpr std::size_t kConfigSize = 12;
inline constexpr std::uint16_t kStatusLinkUp = 1;
inline constexpr std::size_t kMacSize = 6;

// 5.1.6: struct virtio_net_hdr before each packet.
inline constexpr std::size_t kHeaderSize = 12;
inline constexpr std::size_t kHeaderBuffers = 10;
// An Ethernet header and the largest segment that offloads make, with the header above.
inline constexpr std::size_t kPacketMaximum = kHeaderSize + 14 + 65535 + 4;

// 5.1.6.5: control queue: class, command, data; answered by one byte.
inline constexpr std::uint8_t kControlMultiQueue = 4;
inline constexpr std::uint8_t kControlQueuePairsSet = 0;
inline constexpr std::uint8_t kControlOk = 0;
inline constexpr std::uint8_t kControlError = 1;

}  // namespace virttdx::virtio_net_spec
