// SPDX-License-Identifier: GPL-2.0-or-later
// Virtual I/O Device (VIRTIO) Version 1.2, section 5.6, "SCSI Host Device".
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::virtio_scsi_spec {

inline constexpr std::uint16_t kPciClass = 0x0100;  // mass storage, SCSI

// 5.6.2: virtqueues.
inline constexpr std::size_t kQueueControl = 0;
inline constexpr std::size_t kQueueEvent = 1;
inline constexpr std::size_t kQueueRequest = 2;  // and those behind it

// 5.6.4: configuration.
inline constexpr std::size_t kConfigQueues = 0;
inline constexpr std::size_t kConfigSegMax = 4;
inline constexpr std::size_t kConfigMaxSectors = 8;
inline constexpr std::size_t kConfigCommandsPerLun = 12;
inline constexpr std::size_t kConfigEventInfoSize = 16;
inline constexpr std::size_t kConfigSenseSize = 20;
inline constexpr std::size_t kConfigCdbSize = 24;
inline constexpr std::size_t kConfigMaxChannel = 28;
inline constexpr std::size_t kConfigMaxTarget = 30;
inline constexpr std::size_t kConfigMaxLun = 32;
inline constexpr std::size_t kConfigSize = 36;
inline constexpr std::uint32_t kSenseSizeAtReset = 96;
inline constexpr std::uint32_t kCdbSizeAtReset = 32;

// 5.6.6.1: requests. The CDB follows the header, the sense data the response.
inline constexpr std::size_t kLunSize = 8;
inline constexpr std::size_t kRequestCdb = 19;
inline constexpr std::size_t kResponseSenseLength = 0;
inline constexpr std::size_t kResponseResidual = 4;
inline constexpr std::size_t kResponseStatus = 10;
inline constexpr std::size_t kResponseResponse = 11;
inline constexpr std::size_t kResponseHeader = 12;
inline constexpr std::uint8_t kOk = 0;
inline constexpr std::uint8_t kOverrun = 1;
inline constexpr std::uint8_t kBadTarget = 3;

// 5.6.6.2: control requests.
inline constexpr std::uint32_t kTypeTaskManagement = 0;
inline constexpr std::uint32_t kTypeAsynchronousQuery = 1;
inline constexpr std::uint32_t kTypeAsynchronousSubscribe = 2;
inline constexpr std::size_t kTaskManagementLun = 8;
inline constexpr std::size_t kTaskManagementSize = 24;
inline constexpr std::size_t kAsynchronousLun = 4;
inline constexpr std::size_t kAsynchronousSize = 16;
inline constexpr std::size_t kAsynchronousResponseSize = 5;  // events, response
inline constexpr std::uint8_t kFunctionComplete = 0;
inline constexpr std::uint8_t kIncorrectLun = 12;

}  // namespace virttdx::virtio_scsi_spec
