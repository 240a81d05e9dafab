// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "bus/interrupt_line.h"
#include "devices/pci/pci_function.h"

namespace virttdx {

/// What a port is and needs of the machine.
struct PcieRootPortParts {
  std::uint16_t slot = 0;  ///< physical slot number, as the guest sees it
  std::uint8_t port = 0;   ///< of the link capabilities register
  bool hot_plug = false;   ///< the slot says that devices come and go, by `interrupts`
  MsiSink interrupts{};
  /// The guest has cut the slot's power: its device may go. Under PciRoot's lock.
  std::function<void()> on_power_off{};
};

/// A PCI Express root port on bus 0 with a slot, device 0 of the bus that the guest gives it. Accessed under
/// PciRoot's lock. Its memory windows hold what is written, for the guest's allocation of addresses: they do
/// not filter. A hot-plug slot has an attention button, a power indicator and a power controller, and
/// completes each command at once. Not emulated: surprise removal, electromechanical lock, power that is
/// really off (a device answers until it is taken out), power management, error reporting, I/O windows.
class PcieRootPort final : public PciFunction {
 public:
  explicit PcieRootPort(PcieRootPortParts parts);

  /// Puts a function into the slot, before any access. CHECKs that the place is free.
  void add(unsigned function, PciFunction& pci_function);

  bool is_hot_plug() const { return parts_.hot_plug; }
  bool is_empty() const;
  /// Puts function 0 into the empty slot while the guest runs, and tells it. CHECKs that the slot is for
  /// that.
  void plug(PciFunction& pci_function);
  /// Asks the guest to let the device go: on_power_off() is its consent. A guest waits five seconds for the
  /// button to be pressed again, which takes the wish back (PCI Express 3.0, 6.7.1.5).
  void press_attention_button();
  /// Takes the device out, and tells the guest.
  void unplug();

  PciFunction* behind(std::size_t bus, std::size_t function) override;

 protected:
  void written(std::size_t offset, std::size_t size) override;

 private:
  void define_slot();
  void set_presence(bool present);
  void add_events(std::uint16_t events);
  void clear_events(std::size_t offset, std::size_t size);
  void send_message();
  bool wants_message() const;

  const PcieRootPortParts parts_;
  std::size_t express_;
  std::size_t msi_ = 0;
  std::uint16_t slot_status_ = 0;
  bool message_sent_ = false;  ///< for the events that are there now
  bool power_was_off_ = false;
  std::array<PciFunction*, pci_spec::kFunctionsADevice> functions_{};
};

}  // namespace virttdx
