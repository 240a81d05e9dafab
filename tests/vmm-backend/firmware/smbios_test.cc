// SPDX-License-Identifier: GPL-2.0-or-later
// dmidecode (Debian's package) is the reader; it is skipped when absent.
#include "firmware/smbios/smbios.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "support/byte_order.h"
#include "support/file.h"

namespace virttdx {
namespace {

const std::array kRam = {*GpaRange::create(Gpa{0}, 2ULL << 30),
                         *GpaRange::create(Gpa{1ULL << 32}, 1ULL << 30)};

struct Smbios : testing::Test {
  SmbiosConfig texts;
  CpuidEntries cpuid = {{.function = 1, .eax = 0x806F8, .edx = 0x1},
                        {.function = 0xB, .index = 0, .index_significant = true, .ebx = 2},
                        {.function = 0xB, .index = 1, .index_significant = true, .ebx = 4}};
  Result<SmbiosFiles> files() const {
    return smbios_files({.uuid = "00112233-4455-6677-8899-aabbccddeeff",
                         .texts = texts,
                         .ram = kRam,
                         .vcpu_count = 8,
                         .cpuid = cpuid});
  }
  /// dmidecode's text of them: its dump format is the entry point at 0, the tables where it points.
  std::string decoded() const {
    constexpr std::size_t kTablesAt = 32;
    SmbiosFiles built = files().value();
    built.anchor.resize(kTablesAt);
    store_le<std::uint64_t>(std::span(built.anchor), 16, kTablesAt);
    built.anchor[5] = std::byte(std::to_integer<unsigned>(built.anchor[5]) - kTablesAt);
    const std::string name = testing::TempDir() + "smbios-" + std::to_string(::getpid());
    std::ofstream file(name, std::ios::binary);
    for (const auto* part : {&built.anchor, &built.tables})
      file.write(reinterpret_cast<const char*>(part->data()), static_cast<std::streamsize>(part->size()));
    file.close();
    const int status =
        std::system(fmt::format("'{0}' --from-dump {1} > {1}.txt 2>&1", VIRTTDX_DMIDECODE, name).c_str());
    std::string text = read_text_file(name + ".txt", 1U << 20).value();
    std::filesystem::remove(name);
    std::filesystem::remove(name + ".txt");
    return WEXITSTATUS(status) == 0 ? text : "failed: " + text;
  }
};

bool dmidecode_is_absent() { return std::string(VIRTTDX_DMIDECODE).empty(); }

TEST_F(Smbios, TheAnchorIsThatOfVersion3) {
  const auto built = files();
  ASSERT_TRUE(built);
  EXPECT_EQ(built->anchor.size(), 24U);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(built->anchor.data()), 5), "_SM3_");
  EXPECT_EQ(load_le<std::uint32_t>(built->anchor, 12), built->tables.size());
}

TEST_F(Smbios, DmidecodeFindsTheMachineInOrder) {
  if (dmidecode_is_absent()) GTEST_SKIP() << "dmidecode is not installed";
  const std::string text = decoded();
  for (const auto* line :
       {"UUID: 00112233-4455-6677-8899-aabbccddeeff", "Manufacturer: virttdx", "Size: 3 GB", "Core Count: 2",
        "Thread Count: 4", "System is a virtual machine", "UEFI is supported", "Status: No errors detected",
        "End Of Table", "Maximum Capacity: 3 GB"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  for (const auto* bad : {"broken", "Wrong", "TRUNCATED", "OUT OF SPEC", "BAD INDEX", "Invalid"})
    EXPECT_EQ(text.find(bad), std::string::npos) << bad << "\n" << text;
}

TEST_F(Smbios, DmidecodeReadsTheTextsOfSysinfo) {
  if (dmidecode_is_absent()) GTEST_SKIP() << "dmidecode is not installed";
  texts.bios = {.vendor = "BiosVendor", .version = "BiosVersion", .date = "02/03/2026", .release = 0x0405};
  texts.system = {.manufacturer = "SysMaker",
                  .product = "SysProduct",
                  .version = "SysVersion",
                  .serial = "SysSerial",
                  .sku = "SysSku",
                  .family = "SysFamily"};
  texts.baseboards = {{.manufacturer = "BoardMaker",
                       .product = "BoardProduct",
                       .version = "BoardVersion",
                       .serial = "BoardSerial",
                       .asset = "BoardAsset",
                       .location = "BoardPlace"}};
  texts.chassis = {.manufacturer = "CaseMaker",
                   .version = "CaseVersion",
                   .serial = "CaseSerial",
                   .asset = "CaseAsset",
                   .sku = "CaseSku"};
  texts.oem_strings = {"first of ours", "second of ours"};
  const std::string text = decoded();
  for (const auto* word : {"BiosVendor",
                           "BiosVersion",
                           "02/03/2026",
                           "BIOS Revision: 4.5",
                           "SysMaker",
                           "SysProduct",
                           "SysVersion",
                           "SysSerial",
                           "SysSku",
                           "SysFamily",
                           "BoardMaker",
                           "BoardProduct",
                           "BoardVersion",
                           "BoardSerial",
                           "BoardAsset",
                           "BoardPlace",
                           "CaseMaker",
                           "CaseVersion",
                           "CaseSerial",
                           "CaseAsset",
                           "CaseSku",
                           "String 1: first of ours",
                           "String 2: second of ours"})
    EXPECT_NE(text.find(word), std::string::npos) << word << "\n" << text;
}

TEST_F(Smbios, RefusesMoreTextsThanItsNumbersCount) {
  texts.oem_strings.assign(256, "one");
  EXPECT_FALSE(files());
}

}  // namespace
}  // namespace virttdx
