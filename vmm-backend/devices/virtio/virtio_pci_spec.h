// SPDX-License-Identifier: GPL-2.0-or-later
// Virtual I/O Device (VIRTIO) Version 1.2, section 4.1, "Virtio Over PCI Bus".
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::virtio_pci_spec {

// 4.1.2.1: device identification of devices without the legacy interface.
inline constexpr std::uint16_t kVendor = 0x1AF4;
inline constexpr std::uint16_t kDeviceBase = 0x1040;  // plus the device type
inline constexpr std::uint8_t kRevision = 1;
inline constexpr std::uint16_t kSubsystem = 0x1100;  // 0x40 or higher says: not transitional

// 4.1.4: struct virtio_pci_cap, from the capability.
inline constexpr std::size_t kCapLength = 2;
inline constexpr std::size_t kCapType = 3;
inline constexpr std::size_t kCapBar = 4;
inline constexpr std::size_t kCapOffset = 8;
inline constexpr std::size_t kCapSize = 12;
inline constexpr std::size_t kCapBytes = 16;
inline constexpr std::size_t kCapNotifyMultiplier = 16;
inline constexpr std::size_t kCapNotifyBytes = 20;
inline constexpr std::size_t kCapAccessData = 16;
inline constexpr std::size_t kCapAccessBytes = 20;
inline constexpr std::uint8_t kCapCommon = 1;
inline constexpr std::uint8_t kCapNotify = 2;
inline constexpr std::uint8_t kCapIsr = 3;
inline constexpr std::uint8_t kCapDevice = 4;
inline constexpr std::uint8_t kCapAccess = 5;

// 4.1.4.3: struct virtio_pci_common_cfg.
inline constexpr std::uint64_t kDeviceFeatureSelect = 0x00;
inline constexpr std::uint64_t kDeviceFeature = 0x04;
inline constexpr std::uint64_t kDriverFeatureSelect = 0x08;
inline constexpr std::uint64_t kDriverFeature = 0x0C;
inline constexpr std::uint64_t kConfigVector = 0x10;
inline constexpr std::uint64_t kQueueCount = 0x12;
inline constexpr std::uint64_t kDeviceStatus = 0x14;
inline constexpr std::uint64_t kConfigGeneration = 0x15;
inline constexpr std::uint64_t kQueueSelect = 0x16;
inline constexpr std::uint64_t kQueueSize = 0x18;
inline constexpr std::uint64_t kQueueVector = 0x1A;
inline constexpr std::uint64_t kQueueEnable = 0x1C;
inline constexpr std::uint64_t kQueueNotifyOffset = 0x1E;
inline constexpr std::uint64_t kQueueDescriptors = 0x20;
inline constexpr std::uint64_t kQueueAvailable = 0x28;
inline constexpr std::uint64_t kQueueUsed = 0x30;
inline constexpr std::uint64_t kQueueNotifyData = 0x38;
inline constexpr std::uint64_t kQueueReset = 0x3A;
inline constexpr std::uint64_t kCommonSize = 0x3C;

inline constexpr std::uint16_t kNoVector = 0xFFFF;
inline constexpr std::uint32_t kNotifyMultiplier = 4;
inline constexpr std::uint32_t kNotifySize = 2;  // the driver writes the queue's number
inline constexpr std::uint8_t kIsrQueue = 1;
inline constexpr std::uint8_t kIsrConfiguration = 2;

}  // namespace virttdx::virtio_pci_spec
