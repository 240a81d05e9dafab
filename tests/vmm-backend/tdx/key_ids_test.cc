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

/// A cgroup hierarchy of files.
class KeyIdHolders : public testing::Test {
 protected:
  ~KeyIdHolders() override { std::filesystem::remove_all(root_); }
  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  void fill() {
    write("misc.capacity", "tdx 31\n");
    write("misc.current", "tdx 31\n");
    write("machine.slice/misc.current", "tdx 20\n");
    write("machine.slice/a.scope/misc.current", "tdx 19\n");
    write("machine.slice/a.scope/misc.max", "tdx 19\n");
    write("machine.slice/b.scope/misc.current", "tdx 1\n");
    write("machine.slice/b.scope/misc.max", "tdx max\n");
    write("user.slice/misc.current", "tdx 11\n");
    write("system.slice/misc.current", "tdx 0\n");
  }
  char name_[32] = "/tmp/virttdx-key-ids-XXXXXX";
  const std::filesystem::path root_ = mkdtemp(name_);
};

TEST_F(KeyIdHolders, AreNamedByTheirOwnCgroupMostFirst) {
  fill();
  std::string text;
  for (const auto& holder : key_id_holders(root_)) text += fmt::format("{} {}\n", holder.cgroup, holder.used);
  EXPECT_EQ(text, "/machine.slice/a.scope 19\n/user.slice 11\n/machine.slice/b.scope 1\n");
}

TEST_F(KeyIdHolders, StandInTheMessageWithTheirLimits) {
  fill();
  EXPECT_EQ(describe_key_ids(root_),
            "31 of 31 key ids are in use: 19 by cgroup /machine.slice/a.scope (limit 19), 11 by cgroup "
            "/user.slice, 1 by "
            "cgroup /machine.slice/b.scope");
}

TEST_F(KeyIdHolders, KeepAnotherTdFromBeingTriedWhenNoneIsLeft) {
  EXPECT_TRUE(check_key_ids(root_));  // not counted by this kernel
  fill();
  const auto refused = check_key_ids(root_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Error::Code::Busy);
  EXPECT_NE(refused.error().message().find("31 of 31 key ids are in use: 19 by cgroup"), std::string::npos);
  write("misc.current", "tdx 30\n");
  EXPECT_TRUE(check_key_ids(root_));
}

TEST_F(KeyIdHolders, AreNotFollowedThroughLinks) {
  fill();
  std::filesystem::create_directory_symlink(root_, root_ / "machine.slice/again");
  EXPECT_EQ(key_id_holders(root_).size(), 3U);
}

}  // namespace
}  // namespace virttdx::test
