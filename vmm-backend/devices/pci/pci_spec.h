// SPDX-License-Identifier: GPL-2.0-or-later
// PCI Local Bus Specification 3.0, sections 3.2.2.3.2, 6.1, 6.2.5 and 6.7 to 6.8; PCI-to-PCI Bridge
// Architecture Specification 1.2, section 3.2; PCI Express Base Specification 3.0, sections 7.2.2 and 7.8.
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
inline constexpr std::size_t kFunctionsABus = std::size_t{32} * 8;
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
inline constexpr std::size_t kBar0 = 0x10;
inline constexpr unsigned kBars = 6;
inline constexpr std::size_t kSubsystemVendorId = 0x2C;
inline constexpr std::size_t kSubsystemId = 0x2E;
inline constexpr std::size_t kCapabilities = 0x34;
inline constexpr std::size_t kInterruptLine = 0x3C;

inline constexpr std::uint16_t kCommandMemory = 0x0002;
inline constexpr std::uint16_t kCommandBusMaster = 0x0004;
inline constexpr std::uint16_t kCommandInterruptDisable = 0x0400;
inline constexpr std::uint16_t kStatusCapabilities = 0x0010;

// 6.2.5.1: a memory BAR's low bits.
inline constexpr std::uint32_t kBar64Bits = 0x4;
inline constexpr std::uint32_t kBarPrefetchable = 0x8;

// 6.7: the list of capabilities; each starts with its id and the offset of the next one.
inline constexpr std::size_t kFirstCapability = 0x40;
inline constexpr std::uint8_t kCapabilityMsi = 0x05;
inline constexpr std::uint8_t kCapabilityVendor = 0x09;
inline constexpr std::uint8_t kCapabilityPciExpress = 0x10;
inline constexpr std::uint8_t kCapabilityMsix = 0x11;

// 6.8.1: MSI with one vector and an address of 64 bits; offsets from the capability.
inline constexpr std::size_t kMsiCapabilitySize = 14;
inline constexpr std::size_t kMsiControl = 2;
inline constexpr std::uint16_t kMsiEnable = 0x0001;
inline constexpr std::uint16_t kMsi64Bits = 0x0080;
inline constexpr std::size_t kMsiAddress = 4;
inline constexpr std::size_t kMsiData = 12;

// 6.8.2: MSI-X.
inline constexpr std::size_t kMsixCapabilitySize = 12;
inline constexpr std::size_t kMsixControl = 2;  // from the capability
inline constexpr std::uint16_t kMsixEnable = 0x8000;
inline constexpr std::uint16_t kMsixFunctionMask = 0x4000;
inline constexpr std::size_t kMsixTable = 4;
inline constexpr std::size_t kMsixPending = 8;
inline constexpr std::size_t kMsixEntrySize = 16;
inline constexpr std::size_t kMsixEntryAddress = 0;
inline constexpr std::size_t kMsixEntryData = 8;
inline constexpr std::size_t kMsixEntryControl = 12;
inline constexpr std::uint32_t kMsixEntryMasked = 1;
inline constexpr unsigned kMsixVectorsMaximum = 2048;

// Bridge header, type 1.
inline constexpr std::uint8_t kHeaderBridge = 0x01;
inline constexpr std::size_t kPrimaryBus = 0x18;
inline constexpr std::size_t kSecondaryBus = 0x19;
inline constexpr std::size_t kSubordinateBus = 0x1A;
inline constexpr std::size_t kMemoryBase = 0x20;
inline constexpr std::size_t kMemoryLimit = 0x22;
inline constexpr std::size_t kPrefetchableBase = 0x24;
inline constexpr std::size_t kPrefetchableLimit = 0x26;
inline constexpr std::size_t kPrefetchableBaseUpper = 0x28;
inline constexpr std::size_t kPrefetchableLimitUpper = 0x2C;
inline constexpr std::size_t kBridgeControl = 0x3E;
inline constexpr std::uint16_t kWindowWritable = 0xFFF0;
inline constexpr std::uint16_t kWindow64Bits = 0x0001;
inline constexpr std::uint16_t kBridgeControlWritable = 0x0003;

// PCI Express capability, version 2.
inline constexpr std::size_t kExpressSize = 0x3C;
inline constexpr std::size_t kExpressFlags = 0x02;
inline constexpr std::uint16_t kExpressVersion = 2;
inline constexpr std::uint16_t kExpressEndpoint = 0x0 << 4;
inline constexpr std::uint16_t kExpressRootPort = 0x4 << 4;
inline constexpr std::uint16_t kExpressIntegratedEndpoint = 0x9 << 4;
inline constexpr std::uint16_t kExpressSlot = 0x0100;
inline constexpr std::size_t kExpressDeviceCapabilities = 0x04;
inline constexpr std::uint32_t kExpressRoleBasedErrors = 0x8000;
inline constexpr std::size_t kExpressDeviceControl = 0x08;
inline constexpr std::uint16_t kExpressDeviceControlWritable = 0x70FF;
inline constexpr std::size_t kExpressLinkCapabilities = 0x0C;
inline constexpr std::uint32_t kExpressLink = 0x11;  // 2.5 GT/s, one lane
inline constexpr std::uint32_t kExpressLinkReportsActive = 1U << 20;
inline constexpr int kExpressPortNumberShift = 24;
inline constexpr std::size_t kExpressLinkControl = 0x10;
inline constexpr std::uint16_t kExpressLinkControlWritable = 0x00C0;
inline constexpr std::size_t kExpressLinkStatus = 0x12;
inline constexpr std::uint16_t kExpressLinkActive = 0x2000;
inline constexpr std::size_t kExpressSlotCapabilities = 0x14;
inline constexpr int kExpressSlotNumberShift = 19;
// What the slot has: attention button, power controller, power indicator; hot-plug; no completion to wait
// for.
inline constexpr std::uint32_t kExpressHotPlugSlot = 0x0004'0053;
inline constexpr std::size_t kExpressSlotControl = 0x18;
inline constexpr std::uint16_t kExpressSlotControlWritable = 0x17FF;
inline constexpr std::uint16_t kExpressHotPlugInterrupt = 0x0020;
inline constexpr std::uint16_t kExpressPowerIndicatorOff = 0x0300;  // all of its field
inline constexpr std::uint16_t kExpressPowerIndicatorOn = 0x0100;
inline constexpr std::uint16_t kExpressPowerOff = 0x0400;
inline constexpr std::uint16_t kExpressLinkChangeEnable = 0x1000;
inline constexpr std::size_t kExpressSlotStatus = 0x1A;
// Events are enabled by the same bits of Slot Control, but for the link's.
inline constexpr std::uint16_t kExpressButtonPressed = 0x0001;
inline constexpr std::uint16_t kExpressPresenceChanged = 0x0008;
inline constexpr std::uint16_t kExpressPresence = 0x0040;
inline constexpr std::uint16_t kExpressLinkChanged = 0x0100;
inline constexpr std::uint16_t kExpressSlotEvents =
    kExpressButtonPressed | kExpressPresenceChanged | kExpressLinkChanged;

inline constexpr std::uint8_t kMultiFunction = 0x80;
inline constexpr std::uint8_t kClassBridge = 0x06;
inline constexpr std::uint8_t kSubClassHost = 0x00;
inline constexpr std::uint8_t kSubClassIsa = 0x01;
inline constexpr std::uint8_t kSubClassBridge = 0x04;
inline constexpr unsigned kDevicesABus = 32;
inline constexpr unsigned kFunctionsADevice = 8;

}  // namespace virttdx::pci_spec
