// SPDX-License-Identifier: GPL-2.0-or-later
// Intel's ACPI compiler reads every table, and makes the same bytes again of what it read.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "installed_tables.h"
#include "support/file.h"

namespace virttdx {
namespace {

using test::first_ids;
using test::InstalledTables;

struct Iasl : testing::Test {
  void SetUp() override {
    if (std::string(VIRTTDX_IASL).empty()) GTEST_SKIP() << "iasl (Debian's acpica-tools) is not installed";
    std::string pattern = testing::TempDir() + "iasl-XXXXXX";
    folder = ::mkdtemp(pattern.data());
  }
  void TearDown() override {
    if (!folder.empty()) std::filesystem::remove_all(folder);
  }
  /// What iasl says, after its exit status.
  std::string iasl(const std::string& arguments) const {
    const auto log = folder / "log";
    const int status = std::system(
        fmt::format("cd '{}' && {} {} > log 2>&1", folder.string(), VIRTTDX_IASL, arguments).c_str());
    return fmt::format("exit {}\n{}", WEXITSTATUS(status), read_text_file(log, 1U << 20).value());
  }
  void write(const std::string& name, std::span<const std::byte> bytes) const {
    std::ofstream(folder / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  void expect_read_back(const std::string& name, std::span<const std::byte> table) const {
    write(name + ".dat", table);
    const auto read = iasl("-d " + name + ".dat");
    EXPECT_TRUE(read.starts_with("exit 0")) << read;
    for (const auto* bad : {"Warning", "Error", "Invalid", "Remark"})
      EXPECT_EQ(read.find(bad), std::string::npos) << name << ": " << read;
    const auto compiled = iasl("-oa " + name + ".dsl");
    EXPECT_TRUE(compiled.starts_with("exit 0")) << compiled;
    EXPECT_NE(compiled.find("0 Errors"), std::string::npos) << compiled;
    EXPECT_NE(compiled.find(" 0 Warnings"), std::string::npos) << compiled;
    EXPECT_EQ(std::filesystem::file_size(folder / (name + ".aml")), table.size()) << name;
  }
  std::filesystem::path folder;
};

TEST_F(Iasl, ReadsEveryTableWithoutAWord) {
  auto inputs = test::example_acpi_inputs();
  inputs.panic_device = true;
  const InstalledTables installed(acpi_files(inputs));
  for (const auto& [name, table] : installed.all()) expect_read_back(name, table);
}

TEST_F(Iasl, ReadsTheTablesOfNumaNodes) {
  auto inputs = test::example_acpi_inputs();
  inputs.numa_nodes = {{{*GpaRange::create({0}, 0x10000000)}, {0}, {10, 21}},
                       {{*GpaRange::create({0x10000000}, 0x10000000)}, {1, 2}, {21, 10}}};
  inputs.x2apic_ids = {0, 1, 300};
  const InstalledTables installed(acpi_files(inputs));
  for (const auto* name : {"SRAT", "SLIT"}) expect_read_back(name, installed.all().at(name));
}

TEST_F(Iasl, ReadsTheTablesOf300Vcpus) {
  auto inputs = test::example_acpi_inputs();
  inputs.x2apic_ids = first_ids(300);
  const InstalledTables installed(acpi_files(inputs));
  for (const auto* name : {"APIC", "DSDT"}) expect_read_back(name, installed.all().at(name));
}

}  // namespace
}  // namespace virttdx
