// SPDX-License-Identifier: GPL-2.0-or-later
// Offsets and values are those of ACPI 6.5, section 5.2.
#include "firmware/acpi/acpi_files.h"

#include <gtest/gtest.h>

#include "installed_tables.h"

namespace virttdx {
namespace {

using test::example_acpi_inputs;
using test::first_ids;
using test::InstalledTables;

struct AcpiFilesTest : testing::Test {
  AcpiInputs inputs = example_acpi_inputs();
  InstalledTables tables() const { return InstalledTables(acpi_files(inputs)); }
};

TEST_F(AcpiFilesTest, RsdpHasBothChecksums) {
  const auto installed = tables();
  const auto rsdp = installed.rsdp();
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(rsdp.data()), 8), "RSD PTR ");
  EXPECT_EQ(rsdp[15], std::byte{2});
  EXPECT_EQ(InstalledTables::sum(rsdp.first(20)), 0U);
  EXPECT_EQ(InstalledTables::sum(rsdp), 0U);
}

TEST_F(AcpiFilesTest, EveryTableIsFoundWithARightChecksum) {
  const auto installed = tables();
  const auto all = installed.all();
  for (const auto* name : {"XSDT", "FACP", "APIC", "MCFG", "DSDT"}) {
    ASSERT_TRUE(all.contains(name)) << name;
    EXPECT_EQ(InstalledTables::sum(all.at(name)), 0U) << name;
  }
  ASSERT_TRUE(all.contains("FACS"));
  EXPECT_EQ(load_le<std::uint32_t>(all.at("FACS"), 4), 64U);
}

TEST_F(AcpiFilesTest, FacsIsAlignedTo64Bytes) {
  const auto installed = tables();
  EXPECT_EQ(load_le<std::uint64_t>(installed.all().at("FACP"), 132) % 64, 0U);
}

TEST_F(AcpiFilesTest, FadtHasFixedHardwareWithoutSystemManagementMode) {
  const auto installed = tables();
  const auto fadt = installed.all().at("FACP");
  EXPECT_EQ(load_le<std::uint16_t>(fadt, 46), 9U);             // SCI_INT
  EXPECT_EQ(load_le<std::uint32_t>(fadt, 48), 0U);             // SMI_CMD
  EXPECT_EQ(load_le<std::uint32_t>(fadt, 112) >> 20 & 1, 0U);  // HW_REDUCED_ACPI
  EXPECT_EQ(load_le<std::uint32_t>(fadt, 112) >> 4 & 1, 0U);   // PWR_BUTTON: fixed feature
  EXPECT_EQ(load_le<std::uint64_t>(fadt, 120), 0xCF9U);        // RESET_REG
  EXPECT_EQ(fadt[128], std::byte{0x06});
}

TEST_F(AcpiFilesTest, FadtFollowsThePmBlock) {
  inputs.pm_base = 0xB000;
  const auto installed = tables();
  const auto fadt = installed.all().at("FACP");
  EXPECT_EQ(load_le<std::uint32_t>(fadt, 56), 0xB000U);
  EXPECT_EQ(load_le<std::uint32_t>(fadt, 64), 0xB004U);
  EXPECT_EQ(load_le<std::uint32_t>(fadt, 76), 0xB008U);
  EXPECT_EQ(load_le<std::uint64_t>(fadt, 148 + 4), 0xB000U);
  EXPECT_EQ(load_le<std::uint64_t>(fadt, 172 + 4), 0xB004U);
  EXPECT_EQ(load_le<std::uint64_t>(fadt, 208 + 4), 0xB008U);
}

TEST_F(AcpiFilesTest, McfgTellsThePciWindow) {
  inputs.pci_window = *GpaRange::create(Gpa{0xB0000000}, 128U << 20);
  const auto installed = tables();
  const auto mcfg = installed.all().at("MCFG");
  EXPECT_EQ(load_le<std::uint64_t>(mcfg, 44), 0xB0000000U);
  EXPECT_EQ(mcfg[54], std::byte{0});
  EXPECT_EQ(mcfg[55], std::byte{127});
}

TEST_F(AcpiFilesTest, MadtNamesEveryVcpuAndNoWakeupMailbox) {
  inputs.x2apic_ids = first_ids(300);
  const auto installed = tables();
  const auto madt = installed.all().at("APIC");
  std::map<unsigned, unsigned> entries;
  for (std::size_t at = 44; at < madt.size(); at += std::to_integer<std::size_t>(madt[at + 1]))
    ++entries[std::to_integer<unsigned>(madt[at])];
  EXPECT_EQ(entries, (std::map<unsigned, unsigned>{{0, 255}, {1, 1}, {2, 1}, {9, 45}}));
  EXPECT_EQ(load_le<std::uint32_t>(madt, 40), 0U);  // no PCAT_COMPAT
}

TEST_F(AcpiFilesTest, MadtTellsX2apicIdsThatLeaveGaps) {
  inputs.x2apic_ids = {0, 1, 2, 4, 300};
  const auto installed = tables();
  const auto madt = installed.all().at("APIC");
  EXPECT_EQ(load_le<std::uint32_t>(madt, 44 + 3 * 8), 0x04030800U);  // local APIC, 8 bytes, _UID 3, id 4
  EXPECT_EQ(load_le<std::uint16_t>(madt, 44 + 4 * 8), 0x1009U);      // x2APIC, 16 bytes
  EXPECT_EQ(load_le<std::uint32_t>(madt, 44 + 4 * 8 + 4), 300U);     // id
  EXPECT_EQ(load_le<std::uint32_t>(madt, 44 + 4 * 8 + 12), 4U);      // _UID
}

TEST_F(AcpiFilesTest, TellsNoNodesWhereThereAreNone) {
  const auto installed = tables();
  EXPECT_FALSE(installed.all().contains("SRAT"));
  EXPECT_FALSE(installed.all().contains("SLIT"));
}

TEST_F(AcpiFilesTest, SratHasTheVcpusAndMemoryOfEachNode) {
  inputs.numa_nodes = {{{*GpaRange::create({0}, 0x10000000)}, {0}, {}},
                       {{*GpaRange::create({0x10000000}, 0x8000000)}, {1, 2}, {}}};
  inputs.x2apic_ids = {0, 1, 300};
  const auto installed = tables();
  const auto srat = installed.all().at("SRAT");
  EXPECT_FALSE(installed.all().contains("SLIT"));
  ASSERT_EQ(srat.size(), 48U + 16 + 40 + 16 + 24 + 40);
  EXPECT_EQ(load_le<std::uint32_t>(srat, 36), 1U);
  EXPECT_EQ(load_le<std::uint32_t>(srat, 48), 0x00001000U);       // APIC affinity, 16 bytes, node 0, id 0
  EXPECT_EQ(load_le<std::uint32_t>(srat, 52), 1U);                // enabled
  EXPECT_EQ(load_le<std::uint16_t>(srat, 64), 0x2801U);           // memory affinity, 40 bytes
  EXPECT_EQ(load_le<std::uint64_t>(srat, 80), 0x10000000U);       // length
  EXPECT_EQ(load_le<std::uint32_t>(srat, 104), 0x01011000U);      // node 1, id 1
  EXPECT_EQ(load_le<std::uint16_t>(srat, 120), 0x1802U);          // x2APIC affinity, 24 bytes
  EXPECT_EQ(load_le<std::uint32_t>(srat, 124), 1U);               // node
  EXPECT_EQ(load_le<std::uint32_t>(srat, 128), 300U);             // id
  EXPECT_EQ(load_le<std::uint32_t>(srat, 144 + 2), 1U);           // node of the memory
  EXPECT_EQ(load_le<std::uint64_t>(srat, 144 + 8), 0x10000000U);  // base
}

TEST_F(AcpiFilesTest, SlitHasTheDistances) {
  inputs.numa_nodes = {{{}, {0}, {10, 21}}, {{}, {1}, {31, 10}}};
  const auto installed = tables();
  const auto slit = installed.all().at("SLIT");
  ASSERT_EQ(slit.size(), 48U);
  EXPECT_EQ(load_le<std::uint64_t>(slit, 36), 2U);
  EXPECT_EQ(load_le<std::uint32_t>(slit, 44), 0x0A1F150AU);
}

TEST_F(AcpiFilesTest, PlacesThatFirmwareChoosesChangeNoSize) {
  const AcpiFiles before = acpi_files(inputs);
  inputs.pci_window = *GpaRange::create(Gpa{0xB0000000}, 64U << 20);
  inputs.pm_base = 0x0080;
  const AcpiFiles after = acpi_files(inputs);
  EXPECT_EQ(before.tables.size(), after.tables.size());
  EXPECT_EQ(before.rsdp.size(), after.rsdp.size());
  EXPECT_EQ(before.loader, after.loader);
  EXPECT_NE(before.tables, after.tables);
}

}  // namespace
}  // namespace virttdx
