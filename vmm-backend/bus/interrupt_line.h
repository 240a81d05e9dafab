// SPDX-License-Identifier: GPL-2.0-or-later
// How a device asks for attention. A TD's interrupts are messages: KVM sees no end of interrupt of a TD, so
// nothing here is level-triggered at the local APIC.
#pragma once

#include <cstdint>
#include <functional>

namespace virttdx {

/// A message-signalled interrupt (Intel SDM volume 3, "Message Signalled Interrupts"), as KVM_SIGNAL_MSI
/// takes it.
struct MsiMessage {
  std::uint64_t address = 0;
  std::uint32_t data = 0;
  bool operator==(const MsiMessage&) const = default;
};

/// Delivers a message to the guest's local APICs. Any thread; must not call back into a device.
using MsiSink = std::function<void(const MsiMessage&)>;

/// One wire from a device to an interrupt controller. Any thread; may be called under the device's lock.
class InterruptLine {
 public:
  virtual ~InterruptLine() = default;
  /// The level the device drives. Repeating the present level changes nothing.
  virtual void set(bool asserted) = 0;
};

}  // namespace virttdx
