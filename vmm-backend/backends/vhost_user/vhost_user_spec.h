// SPDX-License-Identifier: GPL-2.0-or-later
// QEMU's docs/interop/vhost-user.rst: "Message Specification", "Protocol features", "Front-end message
// types". Numbers are in the machine's byte order.
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::vhost_user_spec {

// Header: request, flags, size of the payload.
inline constexpr std::size_t kMessageHeaderSize = 12;
inline constexpr std::size_t kMessageFlags = 4;
inline constexpr std::size_t kMessagePayloadSize = 8;
inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::uint32_t kVersionMask = 3;
inline constexpr std::uint32_t kFlagReply = 1U << 2;
inline constexpr std::uint32_t kFlagNeedReply = 1U << 3;

enum class Request : std::uint32_t {
  GetFeatures = 1,
  SetFeatures = 2,
  SetOwner = 3,
  SetMemTable = 5,
  SetVringNum = 8,
  SetVringAddr = 9,
  SetVringBase = 10,
  GetVringBase = 11,
  SetVringKick = 12,
  SetVringCall = 13,
  GetProtocolFeatures = 15,
  SetProtocolFeatures = 16,
  GetQueueNum = 17,
  SetVringEnable = 18,
  GetConfig = 24,
};

// A virtio feature bit that no virtio device has.
inline constexpr std::uint64_t kFeatureProtocolFeatures = 1ULL << 30;

inline constexpr std::uint64_t kProtocolMultiQueue = 1ULL << 0;
inline constexpr std::uint64_t kProtocolReplyAck = 1ULL << 3;
inline constexpr std::uint64_t kProtocolConfig = 1ULL << 9;

// Memory regions: number, padding, then for each guest address, size, user address, offset in its file.
inline constexpr std::size_t kRegionsMaximum = 8;
inline constexpr std::size_t kRegionsHeader = 8;
inline constexpr std::size_t kRegionSize = 32;

// Vring state: index, number. Vring address: index, flags, descriptors, used, available, log.
inline constexpr std::size_t kVringStateSize = 8;
inline constexpr std::size_t kVringAddressSize = 40;

// Configuration space: offset, size, flags, then the bytes.
inline constexpr std::size_t kConfigHeader = 12;

}  // namespace virttdx::vhost_user_spec
