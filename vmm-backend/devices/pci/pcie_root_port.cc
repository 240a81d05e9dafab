// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/pci/pcie_root_port.h"

#include <algorithm>

namespace virttdx {

using namespace pci_spec;

namespace {

// QEMU's generic root port: guests know it and need no quirk for it.
constexpr std::uint16_t kVendorRedHat = 0x1B36;
constexpr std::uint16_t kDeviceRootPort = 0x000C;

bool touches(std::size_t offset, std::size_t size, std::size_t reg) {
  return offset < reg + sizeof(std::uint16_t) && offset + size > reg;
}

}  // namespace

PcieRootPort::PcieRootPort(PcieRootPortParts parts)
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
      parts_(std::move(parts)),
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
  define_slot();
  set_presence(false);
}

void PcieRootPort::define_slot() {
  const std::uint32_t hot_plug = parts_.hot_plug ? kExpressHotPlugSlot : 0;
  define<std::uint32_t>(
      express_ + kExpressLinkCapabilities,
      kExpressLink | kExpressLinkReportsActive | std::uint32_t{parts_.port} << kExpressPortNumberShift, 0);
  define<std::uint32_t>(express_ + kExpressSlotCapabilities,
                        hot_plug | std::uint32_t{parts_.slot} << kExpressSlotNumberShift, 0);
  if (!parts_.hot_plug) return;
  // An empty slot has no power.
  define<std::uint16_t>(express_ + kExpressSlotControl, kExpressPowerOff | kExpressPowerIndicatorOff,
                        kExpressSlotControlWritable);
  power_was_off_ = true;
  msi_ = add_capability(kCapabilityMsi, kMsiCapabilitySize);
  define<std::uint16_t>(msi_ + kMsiControl, kMsi64Bits, kMsiEnable);
  define<std::uint64_t>(msi_ + kMsiAddress, 0, ~std::uint64_t{3});
  define<std::uint16_t>(msi_ + kMsiData, 0, 0xFFFF);
}

void PcieRootPort::add(unsigned function, PciFunction& pci_function) {
  CHECK(function < functions_.size() && functions_.at(function) == nullptr);
  functions_.at(function) = &pci_function;
  mark_multi_function(functions_);
  set_presence(true);
  if (!parts_.hot_plug) return;
  define<std::uint16_t>(express_ + kExpressSlotControl, kExpressPowerIndicatorOn,
                        kExpressSlotControlWritable);
  power_was_off_ = false;
}

bool PcieRootPort::is_empty() const {
  return std::ranges::all_of(functions_, [](const auto* function) { return function == nullptr; });
}

void PcieRootPort::plug(PciFunction& pci_function) {
  CHECK(parts_.hot_plug && is_empty());
  functions_.front() = &pci_function;
  set_presence(true);
  add_events(kExpressPresenceChanged | kExpressLinkChanged);
}

void PcieRootPort::press_attention_button() { add_events(kExpressButtonPressed); }

void PcieRootPort::unplug() {
  functions_ = {};
  set_presence(false);
  add_events(kExpressPresenceChanged | kExpressLinkChanged);
}

PciFunction* PcieRootPort::behind(std::size_t bus, std::size_t function) {
  const auto secondary = get<std::uint8_t>(kSecondaryBus);
  if (secondary == 0 || bus != secondary || function >= functions_.size()) return nullptr;
  return functions_.at(function);
}

void PcieRootPort::set_presence(bool present) {
  slot_status_ = static_cast<std::uint16_t>(present ? slot_status_ | kExpressPresence
                                                    : slot_status_ & ~kExpressPresence);
  const std::uint16_t events = parts_.hot_plug ? kExpressSlotEvents : 0;
  define<std::uint16_t>(express_ + kExpressSlotStatus, slot_status_, events);
  define<std::uint16_t>(express_ + kExpressLinkStatus,
                        present ? kExpressLink | kExpressLinkActive : kExpressLink, 0);
}

void PcieRootPort::add_events(std::uint16_t events) {
  slot_status_ |= events;
  define<std::uint16_t>(express_ + kExpressSlotStatus, slot_status_, kExpressSlotEvents);
  send_message();
}

// A 1 that is written clears its event.
void PcieRootPort::clear_events(std::size_t offset, std::size_t size) {
  const std::size_t status = express_ + kExpressSlotStatus;
  auto cleared = get<std::uint16_t>(status);
  if (offset > status) cleared &= 0xFF00;
  if (offset + size < status + 2) cleared &= 0x00FF;
  slot_status_ = static_cast<std::uint16_t>(slot_status_ & ~(cleared & kExpressSlotEvents));
  define<std::uint16_t>(status, slot_status_, kExpressSlotEvents);
}

void PcieRootPort::written(std::size_t offset, std::size_t size) {
  if (!parts_.hot_plug) return;
  if (touches(offset, size, express_ + kExpressSlotStatus)) clear_events(offset, size);
  const auto control = get<std::uint16_t>(express_ + kExpressSlotControl);
  constexpr std::uint16_t kOff = kExpressPowerOff | kExpressPowerIndicatorOff;
  const bool is_off = (control & kOff) == kOff;
  if (is_off && !std::exchange(power_was_off_, is_off) && !is_empty()) parts_.on_power_off();
  power_was_off_ = is_off;
  send_message();
}

// PCI Express 3.0, 6.7.3.4: a message for the change from no enabled event to one.
void PcieRootPort::send_message() {
  const bool wanted = wants_message();
  if (wanted && !message_sent_)
    parts_.interrupts(
        {.address = get<std::uint64_t>(msi_ + kMsiAddress), .data = get<std::uint16_t>(msi_ + kMsiData)});
  message_sent_ = wanted;
}

bool PcieRootPort::wants_message() const {
  const auto control = get<std::uint16_t>(express_ + kExpressSlotControl);
  std::uint16_t enabled = control & (kExpressButtonPressed | kExpressPresenceChanged);
  if ((control & kExpressLinkChangeEnable) != 0) enabled |= kExpressLinkChanged;
  return (control & kExpressHotPlugInterrupt) != 0 && (slot_status_ & enabled) != 0 &&
         (get<std::uint16_t>(msi_ + kMsiControl) & kMsiEnable) != 0 &&
         (get<std::uint16_t>(kCommand) & kCommandBusMaster) != 0;
}

}  // namespace virttdx
