// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bus/bus.h"
#include "devices/pci/msix.h"
#include "devices/pci/pci_function.h"
#include "vmm_backend/gpa.h"

namespace virttdx {

/// Where an endpoint sits: on bus 0 it is part of the root complex.
enum class PciExpressPlace : std::uint8_t { RootComplex, BehindPort };

/// A function with memory BARs and MSI-X, a PCI Express capability, and no I/O ports nor INTx. BARs answer
/// where the guest places them, while memory decoding is on and nothing else claims the place. Accessed under
/// PciRoot's lock, but for msix(). Not emulated: power management, function-level reset, ASPM.
class PciEndpoint : public PciFunction {
 public:
  ~PciEndpoint() override;
  PciEndpoint(const PciEndpoint&) = delete;
  PciEndpoint& operator=(const PciEndpoint&) = delete;

 protected:
  /// `identity`'s command and header type are not used (PciRoot knows whether its device has other
  /// functions). `name` is for messages.
  PciEndpoint(const PciIdentity& identity, PciExpressPlace place, MmioBus& mmio, std::string name);

  struct Bar {
    unsigned index;      ///< 0 to 5; one of 64 bits takes the next one too
    std::uint64_t size;  ///< power of two, 16 bytes or more
    bool is_64_bit;
    bool prefetchable;
  };
  /// `region` outlives this object or its destructor's call of place_nothing().
  void add_bar(const Bar& bar, BusRegion& region);
  /// MSI-X with a BAR of 32 bits of its own.
  void add_msix(unsigned bar_index, Msix& msix);
  bool is_bus_master() const;
  /// Takes all BARs off the bus.
  void place_nothing();
  /// Gpa of the BAR's present place; nothing while it answers nowhere.
  std::optional<Gpa> bar_place(unsigned index) const;

  void written(std::size_t offset, std::size_t size) override;
  /// BAR `index` has moved to `place`, or answers nowhere now.
  virtual void bar_moved(unsigned /*index*/, std::optional<Gpa> /*place*/) {}

 private:
  struct PlacedBar {
    Bar bar;
    BusRegion* region;
    std::optional<Gpa> place;
  };
  void place_bars();
  std::optional<Gpa> wanted_place(const Bar& bar) const;
  void move(PlacedBar& bar, std::optional<Gpa> place);

  MmioBus& mmio_;
  const std::string name_;
  std::vector<PlacedBar> bars_;
  Msix* msix_ = nullptr;
  std::size_t msix_capability_ = 0;
};

}  // namespace virttdx
