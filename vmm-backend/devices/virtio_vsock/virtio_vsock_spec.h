// SPDX-License-Identifier: GPL-2.0-or-later
// Virtual I/O Device (VIRTIO) Version 1.2, section 5.10, "Socket Device".
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::virtio_vsock_spec {

inline constexpr std::uint16_t kPciClass = 0x0780;  // communication controller, other

// 5.10.3: features.
inline constexpr std::uint64_t kFeatureSequencedPackets = 1ULL << 1;

// 5.10.2: queues.
inline constexpr std::size_t kQueueReceive = 0;
inline constexpr std::size_t kQueueTransmit = 1;
inline constexpr std::size_t kQueueEvent = 2;
inline constexpr std::uint16_t kQueueSize = 256;

// 5.10.4: configuration.
inline constexpr std::size_t kConfigGuestCid = 0;  // u64
inline constexpr std::size_t kConfigSize = 8;

// 5.10.6: header of every packet.
inline constexpr std::size_t kHeaderSourceCid = 0;         // u64
inline constexpr std::size_t kHeaderDestinationCid = 8;    // u64
inline constexpr std::size_t kHeaderSourcePort = 16;       // u32
inline constexpr std::size_t kHeaderDestinationPort = 20;  // u32
inline constexpr std::size_t kHeaderLength = 24;           // u32, of the payload
inline constexpr std::size_t kHeaderType = 28;             // u16
inline constexpr std::size_t kHeaderOperation = 30;        // u16
inline constexpr std::size_t kHeaderFlags = 32;            // u32
inline constexpr std::size_t kHeaderBufferSpace = 36;      // u32, buf_alloc
inline constexpr std::size_t kHeaderForwarded = 40;        // u32, fwd_cnt
inline constexpr std::size_t kHeaderSize = 44;

inline constexpr std::uint16_t kTypeStream = 1;
inline constexpr std::uint64_t kHostCid = 2;

inline constexpr std::uint16_t kOperationRequest = 1;
inline constexpr std::uint16_t kOperationResponse = 2;
inline constexpr std::uint16_t kOperationReset = 3;
inline constexpr std::uint16_t kOperationShutdown = 4;
inline constexpr std::uint16_t kOperationData = 5;
inline constexpr std::uint16_t kOperationCreditUpdate = 6;
inline constexpr std::uint16_t kOperationCreditRequest = 7;

// 5.10.6.5: flags of a shutdown: what its sender does no more.
inline constexpr std::uint32_t kShutdownReceive = 1;
inline constexpr std::uint32_t kShutdownSend = 2;
inline constexpr std::uint32_t kShutdownBoth = 3;

}  // namespace virttdx::virtio_vsock_spec
