// SPDX-License-Identifier: GPL-2.0-or-later
// The namespace of devices that no other table and no bus tells of.
#include <fmt/format.h>

#include <array>

#include "devices/acpi_pm/acpi_pm_spec.h"
#include "devices/fw_cfg/fw_cfg_spec.h"
#include "devices/lpc/lpc_spec.h"
#include "devices/pvpanic/pvpanic_spec.h"
#include "devices/rtc/rtc_spec.h"
#include "devices/serial/serial_spec.h"
#include "firmware/acpi/acpi_table.h"
#include "firmware/acpi/acpi_tables.h"
#include "firmware/acpi/aml_resources.h"

namespace virttdx {

using aml::Bytes;

namespace {

constexpr std::uint64_t kBytesABus = 1 << 20;
constexpr std::uint16_t kConfigPorts = 0xCF8;
constexpr std::uint8_t kConfigPortCount = 8;

GpaRange between(Gpa from, Gpa to) {
  const auto range = GpaRange::create(from, to.value - from.value);
  CHECK(to > from && range);
  return *range;
}

// PCI Firmware Specification 3.3, table 4-5: what the OS may control by itself. All but SHPC hot-plug.
constexpr std::uint32_t kOscGranted = 0x1D;
constexpr std::uint32_t kOscUnknownUuid = 0x04, kOscUnknownRevision = 0x08, kOscMasked = 0x10;

Bytes osc() {
  const Bytes host_bridge =
      aml::join({aml::dword_field(aml::argument(3), 8, "CDW3"),
                 aml::if_then(aml::masked("CDW3", 0xFFFFFFFF & ~std::uint64_t{kOscGranted}),
                              aml::or_into("CDW1", kOscMasked)),
                 aml::and_into("CDW3", kOscGranted),
                 aml::if_then(aml::logical_not(aml::equal(aml::argument(1), aml::integer(1))),
                              aml::or_into("CDW1", kOscUnknownRevision))});
  const Bytes is_host_bridge =
      aml::equal(aml::argument(0), aml::uuid("33db4d5b-1ff7-401c-9657-7441c03dd766"));
  return aml::method(
      "_OSC", 4,
      aml::join({aml::dword_field(aml::argument(3), 0, "CDW1"), aml::if_then(is_host_bridge, host_bridge),
                 aml::otherwise(aml::or_into("CDW1", kOscUnknownUuid)), aml::give(aml::argument(3))}));
}

// The window of configuration space is cut out: it is no BAR's.
Bytes root_resources(const AcpiInputs& inputs) {
  const auto buses = static_cast<std::uint16_t>(inputs.pci_window.size() / kBytesABus);
  return aml::resource_template(
      {aml::bus_numbers(0, static_cast<std::uint16_t>(buses - 1)),
       aml::io_ports(kConfigPorts, kConfigPortCount), aml::io_window(0, kConfigPorts - 1),
       aml::io_window(kConfigPorts + kConfigPortCount, 0xFFFF),
       aml::memory_window_32(between(inputs.pci_hole.base(), inputs.pci_window.base())),
       aml::memory_window_32(between(inputs.pci_window.end(), inputs.pci_hole.end())),
       aml::memory_window_64(inputs.pci_hole_64)});
}

Bytes serial_port(std::uint8_t port) {
  CHECK(port < serial_spec::kPortBases.size());
  return aml::device(
      fmt::format("COM{}", port + 1),
      aml::join(
          {aml::name("_HID", aml::eisa_id("PNP0501")), aml::name("_UID", aml::integer(port + 1U)),
           aml::name("_CRS", aml::resource_template(
                                 {aml::io_ports(serial_spec::kPortBases[port], serial_spec::kRegisterCount),
                                  aml::isa_interrupt(serial_spec::kInterrupts[port])}))}));
}

// No interrupt: it raises none.
Bytes clock_device() {
  return aml::device(
      "RTC",
      aml::join({aml::name("_HID", aml::eisa_id("PNP0B00")),
                 aml::name("_CRS", aml::resource_template({aml::io_ports(rtc_spec::kIndexPort, 2)}))}));
}

Bytes panic_device() {
  return aml::device(
      "PEVT",
      aml::join({aml::name("_HID", aml::string(pvpanic_spec::kHardwareId)),
                 aml::name("_CRS", aml::resource_template({aml::io_ports(pvpanic_spec::kPort, 1)}))}));
}

Bytes isa_bridge(const AcpiInputs& inputs) {
  std::vector<Bytes> parts = {aml::name("_ADR", aml::integer(lpc_spec::kDevice << 16)), clock_device()};
  for (const std::uint8_t port : inputs.serial_ports) parts.push_back(serial_port(port));
  if (inputs.panic_device) parts.push_back(panic_device());
  return aml::device("ISA", aml::join(parts));
}

// What the OS must give to nobody else. Linux trusts MCFG only with its window listed here.
Bytes motherboard(const AcpiInputs& inputs) {
  return aml::device(
      "MBRD", aml::join({aml::name("_HID", aml::eisa_id("PNP0C02")), aml::name("_UID", aml::integer(0)),
                         aml::name("_CRS", aml::resource_template(
                                               {aml::memory_32_fixed(inputs.pci_window),
                                                aml::io_ports(inputs.pm_base, acpi_pm_spec::kSize),
                                                aml::io_ports(fw_cfg_spec::kBase, fw_cfg_spec::kPorts)}))}));
}

Bytes processors(std::size_t count) {
  std::vector<Bytes> devices;
  for (std::size_t i = 0; i < count; ++i)
    devices.push_back(aml::device(
        fmt::format("C{:03X}", i),
        aml::join({aml::name("_HID", aml::string("ACPI0007")), aml::name("_UID", aml::integer(i))})));
  return aml::join(devices);
}

Bytes root_bridge(const AcpiInputs& inputs) {
  return aml::device(
      "PCI0", aml::join({aml::name("_HID", aml::eisa_id("PNP0A08")),
                         aml::name("_CID", aml::eisa_id("PNP0A03")), aml::name("_UID", aml::integer(0)),
                         aml::name("_SEG", aml::integer(0)), aml::name("_BBN", aml::integer(0)),
                         aml::name("_CRS", root_resources(inputs)), osc(), isa_bridge(inputs)}));
}

// SLP_TYP for PM1a and PM1b control: 0 is what OVMF itself writes to power off.
Bytes soft_off() {
  const std::array values = {aml::integer(acpi_pm_spec::kSleepTypeS5Ovmf),
                             aml::integer(acpi_pm_spec::kSleepTypeS5Ovmf), aml::integer(0), aml::integer(0)};
  return aml::name("\\_S5", aml::package(values));
}

}  // namespace

std::vector<std::byte> build_dsdt(const AcpiInputs& inputs) {
  AcpiTable table("DSDT", acpi_spec::kDsdtRevision);
  table.add(aml::scope(
      "\\_SB", aml::join({motherboard(inputs), root_bridge(inputs), processors(inputs.x2apic_ids.size())})));
  table.add(soft_off());
  return std::move(table).finish();
}

}  // namespace virttdx
