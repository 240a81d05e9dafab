// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>

#include "devices/pci/pci_function.h"

namespace virttdx {

/// A PCI Express root port on bus 0 with a slot, device 0 of the bus that the guest gives it. Accessed under
/// PciRoot's lock. Its memory windows hold what is written, for the guest's allocation of addresses: they do
/// not filter. Not emulated: hot-plug, interrupts of the port, power management, error reporting, I/O
/// windows.
class PcieRootPort final : public PciFunction {
 public:
  /// `slot`: physical slot number, `port`: of the link capabilities register. Both as the guest sees them.
  PcieRootPort(std::uint16_t slot, std::uint8_t port);

  /// Puts a function into the slot, before any access. CHECKs that the place is free.
  void add(unsigned function, PciFunction& pci_function);

  PciFunction* behind(std::size_t bus, std::size_t function) override;

 protected:
  void written(std::size_t, std::size_t) override {}

 private:
  std::size_t express_;
  std::array<PciFunction*, pci_spec::kFunctionsADevice> functions_{};
};

}  // namespace virttdx
