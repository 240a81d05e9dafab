// SPDX-License-Identifier: GPL-2.0-or-later
// tests/data/kvm/abi-rows.txt lists the rules of KVM's ABI and their tests: each test that it names is here.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>

namespace virttdx::softhost {
namespace {

std::set<std::string> tests_of_this_program() {
  std::set<std::string> names;
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *all.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j)
      names.insert(std::string(suite.name()) + "." + suite.GetTestInfo(j)->name());
  }
  return names;
}

TEST(AbiRows, HaveTheTestsThatTheyName) {
  const auto tests = tests_of_this_program();
  std::ifstream file(VIRTTDX_TEST_DATA "/kvm/abi-rows.txt");
  ASSERT_TRUE(file);
  int rows = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    ++rows;
    const auto bar = line.rfind(" | ");
    ASSERT_NE(bar, std::string::npos) << line;
    EXPECT_TRUE(tests.contains(line.substr(bar + 3))) << line;
  }
  EXPECT_GT(rows, 100);
}

}  // namespace
}  // namespace virttdx::softhost
