// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <optional>

#include "devices/pci/pci_function.h"

namespace virttdx {

/// The ICH9 LPC bridge, 00:1f.0: says that there is an ISA bus, and places the ACPI block with PMBASE and
/// ACPI_CNTL.
/// Not emulated: interrupt routing by PIRQ registers, LPC decode ranges, GPIO, the root complex block at RCBA
/// (registers hold what is written).
class Lpc final : public PciFunction {
 public:
  /// `on_pm_block` is told the ACPI block's base port after every write that concerns it; nothing when
  /// disabled.
  explicit Lpc(std::function<void(std::optional<std::uint16_t>)> on_pm_block);

 protected:
  void written(std::size_t offset, std::size_t size) override;

 private:
  const std::function<void(std::optional<std::uint16_t>)> on_pm_block_;
};

}  // namespace virttdx
