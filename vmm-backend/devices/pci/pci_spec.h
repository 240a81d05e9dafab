// SPDX-License-Identifier: GPL-2.0-or-later
// PCI Local Bus Specification 3.0, sections 3.2.2.3.2 and 6.1; PCI Express Base Specification 3.0,
// section 7.2.2.
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::pci_spec {

// Configuration mechanism #1.
inline constexpr std::uint16_t kConfigAddress = 0xCF8;  // 32 bits
inline constexpr std::uint64_t kConfigData = 4;         // 0xCFC, from kConfigAddress
inline constexpr std::uint64_t kConfigPorts = 8;
inline constexpr std::uint32_t kConfigEnable = 1U << 31;
inline constexpr std::uint32_t kConfigAddressWritable = 0x80FFFFFC;

// Bus, device, function and register inside an address of either mechanism.
inline constexpr std::size_t kFunctionSpace = 256;
inline constexpr std::size_t kFunctionsABus = 32 * 8;
inline constexpr int kPortFunctionShift = 8;   // mechanism #1: device and function in bits 15:8, bus above
inline constexpr int kEcamFunctionShift = 12;  // enhanced: 4 KiB a function
inline constexpr std::uint64_t kEcamBusSize = 1U << 20;

// Common header, type 0.
inline constexpr std::size_t kVendorId = 0x00;
inline constexpr std::size_t kDeviceId = 0x02;
inline constexpr std::size_t kCommand = 0x04;
inline constexpr std::size_t kStatus = 0x06;
inline constexpr std::size_t kRevisionId = 0x08;
inline constexpr std::size_t kProgrammingInterface = 0x09;
inline constexpr std::size_t kSubClass = 0x0A;
inline constexpr std::size_t kBaseClass = 0x0B;
inline constexpr std::size_t kHeaderType = 0x0E;
inline constexpr std::size_t kSubsystemVendorId = 0x2C;
inline constexpr std::size_t kSubsystemId = 0x2E;
inline constexpr std::size_t kInterruptLine = 0x3C;

inline constexpr std::uint8_t kMultiFunction = 0x80;
inline constexpr std::uint8_t kClassBridge = 0x06;
inline constexpr std::uint8_t kSubClassHost = 0x00;
inline constexpr std::uint8_t kSubClassIsa = 0x01;

}  // namespace virttdx::pci_spec
