// SPDX-License-Identifier: GPL-2.0-or-later
// The three fw_cfg files from which firmware makes the machine's ACPI tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vmm_backend/gpa.h"

namespace virttdx {

/// A NUMA node; there are at most 255.
struct AcpiNumaNode {
  std::vector<GpaRange> memory;
  std::vector<std::uint32_t> vcpus;
  std::vector<std::uint8_t> distances;  ///< to each node; of all nodes or of none
};

/// What the tables tell of. Numbers that firmware chooses (pci_window, pm_base) change no file's size.
struct AcpiInputs {
  std::vector<std::uint32_t> x2apic_ids{0};  ///< of each vCPU, all different; at most 4096
  std::vector<std::uint8_t> serial_ports{};  ///< 0 to 3: COM1 to COM4
  GpaRange pci_hole{};                       ///< for BARs of 32 bits and pci_window
  GpaRange pci_hole_64{};                    ///< for BARs of 64 bits
  GpaRange pci_window{};    ///< PCIEXBAR: 1 MiB a bus, inside pci_hole and touching neither of its ends
  std::uint16_t pm_base{};  ///< PMBASE
  bool panic_device = false;
  std::vector<AcpiNumaNode> numa_nodes{};  ///< none: no SRAT
};

/// Contents of etc/acpi/rsdp, etc/acpi/tables and etc/table-loader. Pointers are offsets until firmware runs
/// the loader script.
struct AcpiFiles {
  std::vector<std::byte> rsdp;
  std::vector<std::byte> tables;
  std::vector<std::byte> loader;
};

inline constexpr const char* kAcpiRsdpFile = "etc/acpi/rsdp";
inline constexpr const char* kAcpiTablesFile = "etc/acpi/tables";
inline constexpr const char* kAcpiLoaderFile = "etc/table-loader";

AcpiFiles acpi_files(const AcpiInputs& inputs);

}  // namespace virttdx
