// SPDX-License-Identifier: GPL-2.0-or-later
// Virtual I/O Device (VIRTIO) Version 1.2, section 5.3, "Console Device".
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::virtio_console_spec {

inline constexpr std::uint16_t kPciClass = 0x0780;  // communication, other

// 5.3.2: queues. Ports above 0 have two more each behind these.
inline constexpr std::size_t kQueueReceive0 = 0;
inline constexpr std::size_t kQueueTransmit0 = 1;
inline constexpr std::size_t kQueueControlReceive = 2;
inline constexpr std::size_t kQueueControlTransmit = 3;

inline constexpr std::uint64_t kFeatureMultiport = 1ULL << 1;  // 5.3.3

// 5.3.4: configuration: columns, rows (both 16 bits), maximum number of ports, emergency write.
inline constexpr std::size_t kConfigMaximumPorts = 4;
inline constexpr std::size_t kConfigSize = 12;

// 5.3.6.2: control messages.
inline constexpr std::size_t kControlSize = 8;  // port, event, value
inline constexpr std::size_t kControlEvent = 4;
inline constexpr std::size_t kControlValue = 6;
inline constexpr std::uint16_t kDeviceReady = 0;
inline constexpr std::uint16_t kPortAdd = 1;
inline constexpr std::uint16_t kPortReady = 3;
inline constexpr std::uint16_t kConsolePort = 4;
inline constexpr std::uint16_t kPortOpen = 6;
inline constexpr std::uint16_t kPortName = 7;

}  // namespace virttdx::virtio_console_spec
