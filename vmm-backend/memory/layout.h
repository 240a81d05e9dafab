// SPDX-License-Identifier: GPL-2.0-or-later
// Where memory lies in a TD: a pure function of sizes. Addresses are an ABI towards the guest.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "support/result.h"
#include "vmm_backend/gpa.h"

namespace virttdx {

/// Ranges of a Q35 machine; none overlaps another.
struct MemoryLayout {
  std::vector<GpaRange> ram;  ///< from 0 and, when it does not all fit below the PCI hole, from 4 GiB
  /// BARs of 32 bits and the PCIEXBAR, wherever the firmware programs it (OVMF: 0xB0000000, later
  /// 0xE0000000).
  GpaRange pci_hole;
  GpaRange chipset;      ///< I/O APIC, HPET, RCBA and local APICs
  GpaRange firmware;     ///< ends at 4 GiB
  GpaRange pci_hole_64;  ///< BARs of 64 bits, from behind RAM to 2^46
};

/// RAM of 0xB0000000 bytes or more is split into 2 GiB and the rest at 4 GiB, as QEMU does for Q35: firmware
/// and guests know that shape. `ram_bytes`: a multiple of 2 MiB, 64 MiB to 16 TiB. `firmware_bytes`: a
/// multiple of 4 KiB, up to 16 MiB.
Result<MemoryLayout> memory_layout(std::uint64_t ram_bytes, std::uint64_t firmware_bytes);

/// The RAM of NUMA nodes of these sizes, one behind the other: one or more ranges each. The sum of `sizes` is
/// the RAM's.
std::vector<std::vector<GpaRange>> split_ram(const MemoryLayout& layout,
                                             std::span<const std::uint64_t> sizes);

}  // namespace virttdx
