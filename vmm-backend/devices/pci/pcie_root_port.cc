// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/pci/pcie_root_port.h"

namespace virttdx {

using namespace pci_spec;

namespace {

// QEMU's generic root port: guests know it and need no quirk for it.
constexpr std::uint16_t kVendorRedHat = 0x1B36;
constexpr std::uint16_t kDeviceRootPort = 0x000C;

}  // namespace

PcieRootPort::PcieRootPort(std::uint16_t slot, std::uint8_t port)
    : PciFunction({.vendor_id = kVendorRedHat,
                   .device_id = kDeviceRootPort,
                   .revision = 0,
                   .base_class = kClassBridge,
                   .sub_class = kSubClassBridge,
                   // Ports may share a device number: a guest must look at every function.
                   .header_type = kHeaderBridge | kMultiFunction,
                   .command = 0,
                   .command_writable = kCommandMemory | kCommandBusMaster | kCommandInterruptDisable,
                   .status = 0}),
      express_(add_express_capability(kExpressRootPort | kExpressSlot)) {
  for (const std::size_t bus : {kPrimaryBus, kSecondaryBus, kSubordinateBus})
    define<std::uint8_t>(bus, 0, 0xFF);
  define<std::uint16_t>(kMemoryBase, 0, kWindowWritable);
  define<std::uint16_t>(kMemoryLimit, 0, kWindowWritable);
  define<std::uint16_t>(kPrefetchableBase, kWindow64Bits, kWindowWritable);
  define<std::uint16_t>(kPrefetchableLimit, kWindow64Bits, kWindowWritable);
  define<std::uint32_t>(kPrefetchableBaseUpper, 0, 0xFFFFFFFF);
  define<std::uint32_t>(kPrefetchableLimitUpper, 0, 0xFFFFFFFF);
  define<std::uint16_t>(kBridgeControl, 0, kBridgeControlWritable);
  define<std::uint8_t>(kInterruptLine, 0, 0xFF);
  define<std::uint32_t>(express_ + kExpressLinkCapabilities,
                        kExpressLink | std::uint32_t{port} << kExpressPortNumberShift, 0);
  define<std::uint32_t>(express_ + kExpressSlotCapabilities, std::uint32_t{slot} << kExpressSlotNumberShift,
                        0);
}

void PcieRootPort::add(unsigned function, PciFunction& pci_function) {
  CHECK(function < functions_.size() && functions_.at(function) == nullptr);
  functions_.at(function) = &pci_function;
  define<std::uint16_t>(express_ + kExpressSlotStatus, kExpressPresence, 0);
}

PciFunction* PcieRootPort::behind(std::size_t bus, std::size_t function) {
  const auto secondary = get<std::uint8_t>(kSecondaryBus);
  if (secondary == 0 || bus != secondary || function >= functions_.size()) return nullptr;
  return functions_.at(function);
}

}  // namespace virttdx
