// SPDX-License-Identifier: GPL-2.0-or-later
// tests/data/kvm/abi-rows.txt lists the rules of KVM's ABI and their tests: each test that it names is here,
// and no rule of the TDX commands is left out.
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <set>
#include <string>
#include <string_view>

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

struct Table {
  char letter;
  int rows;
};
/// KVM_TDX_CAPABILITIES, _INIT_VM, _FINALIZE_VM, _INIT_VCPU, _INIT_MEM_REGION, _GET_CPUID: the checks that
/// arch/x86/kvm/vmx/tdx.c makes in each, numbered in their order.
constexpr std::array kTables = {Table{'C', 6}, Table{'I', 23}, Table{'F', 5},
                                Table{'V', 6}, Table{'M', 15}, Table{'G', 5}};

TEST(AbiRows, HaveEveryCheckOfTheTdxCommandsAndATestOfItsName) {
  std::set<std::string> found;
  std::ifstream file(VIRTTDX_TEST_DATA "/kvm/abi-rows.txt");
  for (std::string line; std::getline(file, line);) {
    const std::string rule = line.substr(0, line.find(' '));
    if (line.find('.' + rule + '_') != std::string::npos) found.insert(rule);
  }
  for (const Table& table : kTables)
    for (int row = 1; row <= table.rows; ++row)
      EXPECT_TRUE(found.contains(table.letter + std::to_string(row))) << table.letter << row;
}

TEST(AbiRows, HaveTheTestsThatTheyNameOrAReason) {
  const auto tests = tests_of_this_program();
  std::ifstream file(VIRTTDX_TEST_DATA "/kvm/abi-rows.txt");
  ASSERT_TRUE(file);
  int rows = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    ++rows;
    const auto bar = line.rfind(" | ");
    ASSERT_NE(bar, std::string::npos) << line;
    const std::string test = line.substr(bar + 3);
    constexpr std::string_view kReason = "none: ";
    EXPECT_TRUE(tests.contains(test) || (test.starts_with(kReason) && test.size() > kReason.size())) << line;
  }
  EXPECT_GT(rows, 100);
}

}  // namespace
}  // namespace virttdx::softhost
