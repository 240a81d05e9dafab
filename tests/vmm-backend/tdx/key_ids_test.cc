// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/key_ids.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace virttdx::test {
namespace {

TEST(KeyIds, AreTheNumberOfTheTdxLine) {
  EXPECT_EQ(tdx_of_misc_file("sev 99\nsev_es 10\ntdx 31\n"), 31U);
  EXPECT_EQ(tdx_of_misc_file("tdx 0"), 0U);
}

TEST(KeyIds, OfAnythingElseAreAbsent) {
  for (const auto* const text :
       {"", "sev 99\n", "tdx \n", "tdx max\n", "tdx 99999999999\n", "tdx 3x", "xtdx 3"})
    EXPECT_FALSE(tdx_of_misc_file(text)) << text;
}

TEST(KeyIds, AreReadAsFarAsTheFilesExist) {
  char name[] = "/tmp/virttdx-key-ids-XXXXXX";
  const std::filesystem::path directory = mkdtemp(name);
  EXPECT_FALSE(read_key_ids(directory).capacity);
  std::ofstream(directory / "misc.capacity") << "tdx 63\n";
  EXPECT_EQ(read_key_ids(directory).capacity, 63U);
  EXPECT_FALSE(read_key_ids(directory).used);
  std::ofstream(directory / "misc.current") << "tdx 2\n";
  EXPECT_EQ(read_key_ids(directory).used, 2U);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace virttdx::test
