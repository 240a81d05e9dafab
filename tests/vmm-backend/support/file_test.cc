// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace virttdx {
namespace {

class AFile : public testing::Test {
 protected:
  AFile() {
    std::string name = testing::TempDir() + "virttdx-file-XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  ~AFile() override { std::filesystem::remove_all(directory_); }
  std::filesystem::path directory_;
};

TEST_F(AFile, IsReplacedWholeAndKeepsItsMode) {
  const auto path = directory_ / "domain.xml";
  ASSERT_TRUE(write_file_atomically(path, "old", 0600));
  ASSERT_TRUE(write_file_atomically(path, "new", 0600));
  EXPECT_EQ(read_text_file(path, 100).value(), "new");
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1);
}

TEST_F(AFile, LargerThanTheLimitIsRefusedWithBothNumbers) {
  const auto path = directory_ / "firmware";
  ASSERT_TRUE(write_file_atomically(path, "12345", 0600));
  const auto content = read_file(path, 4);
  ASSERT_FALSE(content);
  EXPECT_NE(content.error().message().find("has 5 bytes; at most 4"), std::string::npos);
}

TEST_F(AFile, ThatIsADirectoryIsRefused) { EXPECT_FALSE(read_file(directory_, 100)); }

TEST_F(AFile, ThatIsMissingIsNotFoundButRemovedAlready) {
  EXPECT_EQ(read_file(directory_ / "none", 1).error().code(), Error::Code::NotFound);
  EXPECT_TRUE(remove_file(directory_ / "none"));
  EXPECT_FALSE(unlink_file(directory_ / "none").value());
}

TEST_F(AFile, CannotBeWrittenIntoAMissingDirectory) {
  EXPECT_EQ(write_file_atomically(directory_ / "no" / "file", "x", 0600).error().code(),
            Error::Code::NotFound);
}

}  // namespace
}  // namespace virttdx
