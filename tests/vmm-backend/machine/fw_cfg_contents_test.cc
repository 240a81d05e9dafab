// SPDX-License-Identifier: GPL-2.0-or-later
#include "firmware/fw_cfg_contents.h"

#include <gtest/gtest.h>

#include <array>

#include "devices/fw_cfg/fw_cfg_spec.h"
#include "support/byte_order.h"

namespace virttdx {
namespace {

using namespace fw_cfg_spec;

const std::array kRam = {*GpaRange::create(Gpa{0}, 2ULL << 30),
                         *GpaRange::create(Gpa{1ULL << 32}, 1ULL << 30)};

const AcpiInputs kAcpi{.x2apic_ids = {0, 1, 2},
                       .serial_ports = {0},
                       .pci_hole = *GpaRange::create(Gpa{2ULL << 30}, 0x7EC00000),
                       .pci_hole_64 = *GpaRange::create(Gpa{5ULL << 30}, 1ULL << 35),
                       .pci_window = *GpaRange::create(Gpa{0xE0000000}, 256U << 20),
                       .pm_base = 0x600};

FwCfgItems contents() {
  return fw_cfg_contents({.uuid = "00112233-4455-6677-8899-aabbccddeeff",
                          .ram = kRam,
                          .acpi = kAcpi,
                          .smbios = {},
                          .cpuid = {},
                          .devices = {}})
      .value();
}

TEST(FwCfgContents, HasTheSpecifiedSignatureAndInterfaces) {
  const FwCfgItems items = contents();
  EXPECT_EQ(load_le<std::uint32_t>(items.at(kSignature), 0), 0x554D4551U);  // "QEMU"
  EXPECT_EQ(load_le<std::uint32_t>(items.at(kId), 0), 3U);
}

TEST(FwCfgContents, TellsRamVcpusAndUuid) {
  const FwCfgItems items = contents();
  EXPECT_EQ(load_le<std::uint64_t>(items.at(kRamSize), 0), 3ULL << 30);
  EXPECT_EQ(load_le<std::uint16_t>(items.at(kCpuCount), 0), 3);
  EXPECT_EQ(load_le<std::uint16_t>(items.at(kMaximumCpuCount), 0), 3);
  EXPECT_EQ(items.at(kUuid).size(), 16U);
  EXPECT_EQ(items.at(kUuid)[1], std::byte{0x11});
}

TEST(FwCfgContents, DirectoryNamesEveryFileBigEndian) {
  const FwCfgItems items = contents();
  const auto& directory = items.at(kFileDirectory);
  ASSERT_EQ(directory.size(), 4 + 7 * kFileEntrySize);
  EXPECT_EQ(__builtin_bswap32(load_le<std::uint32_t>(directory, 0)), 7U);
  EXPECT_EQ(__builtin_bswap32(load_le<std::uint32_t>(directory, 4)), 36U);
  EXPECT_EQ(__builtin_bswap16(load_le<std::uint16_t>(directory, 8)), kFirstFile);
  std::size_t position = 12;
  for (const char* name : {"etc/acpi/rsdp", "etc/acpi/tables", "etc/e820", "etc/smbios/smbios-anchor",
                           "etc/smbios/smbios-tables", "etc/system-states", "etc/table-loader"}) {
    EXPECT_STREQ(reinterpret_cast<const char*>(directory.data()) + position, name);
    position += kFileEntrySize;
  }
}

TEST(FwCfgContents, E820ListsRam) {
  const FwCfgItems items = contents();
  const auto& e820 = items.at(kFirstFile + 2);
  EXPECT_EQ(load_le<std::uint64_t>(e820, 8), 2ULL << 30);
  EXPECT_EQ(load_le<std::uint32_t>(e820, 16), 1U);
  EXPECT_EQ(load_le<std::uint64_t>(e820, 20), 1ULL << 32);
  EXPECT_EQ(load_le<std::uint64_t>(e820, 28), 1ULL << 30);
}

TEST(FwCfgContents, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(fw_cfg_contents(
      {.uuid = "not a UUID", .ram = kRam, .acpi = kAcpi, .smbios = {}, .cpuid = {}, .devices = {}}));
  EXPECT_FALSE(fw_cfg_contents({.uuid = "00112233-4455-6677-8899-aabbccddeeff",
                                .ram = kRam,
                                .acpi = {.x2apic_ids = std::vector<std::uint32_t>(65536)},
                                .smbios = {},
                                .cpuid = {},
                                .devices = {}}));
  FwCfgItems items;
  EXPECT_TRUE(add_fw_cfg_files(items, {{std::string(55, 'n'), {}}}));
  EXPECT_FALSE(add_fw_cfg_files(items, {{std::string(56, 'n'), {}}}));
}

}  // namespace
}  // namespace virttdx
