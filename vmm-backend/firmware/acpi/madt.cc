// SPDX-License-Identifier: GPL-2.0-or-later
// Interrupt controllers, and where configuration space is.
#include "devices/acpi_pm/acpi_pm_spec.h"
#include "devices/io_apic/io_apic_spec.h"
#include "firmware/acpi/acpi_table.h"
#include "firmware/acpi/acpi_tables.h"

namespace virttdx {

using namespace acpi_spec;

namespace {

// `vcpu` is the _UID of its device in the DSDT.
void add_processor(AcpiTable& table, std::uint32_t vcpu, std::uint32_t x2apic_id) {
  if (x2apic_id < kX2apicIdsFrom) {
    table.add(kLocalApicEntry).add(std::uint8_t{8}).add(static_cast<std::uint8_t>(vcpu));
    table.add(static_cast<std::uint8_t>(x2apic_id)).add(kProcessorEnabled);
    return;
  }
  table.add(kLocalX2apicEntry).add(std::uint8_t{16}).add(std::uint16_t{0});
  table.add(x2apic_id).add(kProcessorEnabled).add(vcpu);
}

void add_io_apic(AcpiTable& table) {
  table.add(kIoApicEntry).add(std::uint8_t{12}).add(std::uint16_t{0});
  table.add(static_cast<std::uint32_t>(io_apic_spec::kBase)).add(std::uint32_t{0});
}

// By the specification the SCI is level-triggered; a TD's is not, as no end of interrupt of a TD can be seen.
void add_sci(AcpiTable& table) {
  constexpr auto kSci = acpi_pm_spec::kSciInterrupt;
  table.add(kInterruptSourceOverride).add(std::uint8_t{10}).add(std::uint8_t{0});
  table.add(static_cast<std::uint8_t>(kSci)).add(static_cast<std::uint32_t>(kSci)).add(kActiveHighEdge);
}

}  // namespace

// Flags are 0: there is no pair of 8259 that delivers interrupts.
std::vector<std::byte> build_madt(const AcpiInputs& inputs) {
  AcpiTable table("APIC", kMadtRevision);
  table.add(kLocalApicAddress).add(std::uint32_t{0});
  for (std::uint32_t vcpu = 0; vcpu < inputs.x2apic_ids.size(); ++vcpu)
    add_processor(table, vcpu, inputs.x2apic_ids[vcpu]);
  add_io_apic(table);
  add_sci(table);
  return std::move(table).finish();
}

std::vector<std::byte> build_mcfg(const AcpiInputs& inputs) {
  constexpr std::uint64_t kBytesABus = 1 << 20;
  AcpiTable table("MCFG", kMcfgRevision);
  table.add(std::uint64_t{0});
  table.add(inputs.pci_window.base().value).add(std::uint16_t{0}).add(std::uint8_t{0});
  table.add(static_cast<std::uint8_t>(inputs.pci_window.size() / kBytesABus - 1)).add(std::uint32_t{0});
  return std::move(table).finish();
}

}  // namespace virttdx
