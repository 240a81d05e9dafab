// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <optional>

#include "devices/pci/pci_function.h"
#include "vmm_backend/gpa.h"

namespace virttdx {

/// The Q35 memory controller hub, 00:00.0. The guest places the PCI configuration window with PCIEXBAR.
/// Not emulated: PAM and SMRAM (the registers hold what is written; a TD has no SMM and no shadow RAM), DRAM
/// timing, the PCI Express graphics port, MCHBAR, DMIBAR, EPBAR.
class HostBridge final : public PciFunction {
 public:
  /// `on_window` is told the window after every write of PCIEXBAR; nothing when disabled or of reserved
  /// length.
  explicit HostBridge(std::function<void(const std::optional<GpaRange>&)> on_window);

 protected:
  void written(std::size_t offset, std::size_t size) override;

 private:
  std::optional<GpaRange> window() const;

  const std::function<void(const std::optional<GpaRange>&)> on_window_;
};

}  // namespace virttdx
