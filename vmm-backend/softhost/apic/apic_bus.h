// SPDX-License-Identifier: GPL-2.0-or-later
// Where the local APICs of one VM reach each other, and where MSIs arrive.
#pragma once

#include <cstdint>
#include <shared_mutex>
#include <vector>

#include "softhost/apic/apic_spec.h"

namespace virttdx::softhost {

class LocalApic;

/// Thread-safe.
class ApicBus {
 public:
  void add(LocalApic& apic);
  void remove(LocalApic& apic);

  struct Message {
    apic::DeliveryMode mode = apic::DeliveryMode::Fixed;
    std::uint8_t vector = 0;
    bool logical = false;
    std::uint32_t destination = 0;
    apic::Shorthand shorthand = apic::Shorthand::None;
  };
  /// Delivers fixed and lowest-priority interrupts and NMIs; SMI, INIT and SIPI do nothing, as in a TD.
  /// `source` is the sender for the shorthands, null for a device. Returns how many APICs took it.
  unsigned deliver(const Message& message, LocalApic* source);
  /// KVM_SIGNAL_MSI: address and data in the format of a PCI device; destination id bits 31:8 in bits 31:8 of
  /// `address_hi` (KVM_X2APIC_API_USE_32BIT_IDS) or bits 14:8 in bits 11:5 of the address
  /// (KVM_FEATURE_MSI_EXT_DEST_ID).
  unsigned deliver_msi(std::uint32_t address_lo, std::uint32_t address_hi, std::uint32_t data);

 private:
  mutable std::shared_mutex mutex_;
  std::vector<LocalApic*> apics_;
};

}  // namespace virttdx::softhost
