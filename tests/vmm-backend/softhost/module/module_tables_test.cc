// SPDX-License-Identifier: GPL-2.0-or-later
// The tables that the software host decides by are the TDX module's own (tests/data/tdx), line by line.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "softhost/module/msr_spec.h"
#include "tdx/tdx_cpuid_spec.h"

namespace virttdx::softhost {
namespace {

std::vector<std::string> lines_of(const std::string& name) {
  std::ifstream file(std::string(VIRTTDX_TEST_DATA) + "/tdx/" + name);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line.front() != '#') lines.push_back(line);
  return lines;
}

using msr::Gate;
using msr::Rule;

/// As the data writes it.
std::string text_of(Rule rule, Gate gate) {
  static const std::map<Gate, std::string> kGates = {{Gate::kPerfmon, "perfmon"},
                                                     {Gate::kPks, "pks"},
                                                     {Gate::kPt, "pt"},
                                                     {Gate::kCet, "cet"},
                                                     {Gate::kUintr, "uintr"},
                                                     {Gate::kLbr, "lbr"},
                                                     {Gate::kXfd, "xfd"},
                                                     {Gate::kWaitpkg, "waitpkg"},
                                                     {Gate::kTsx, "tsx"},
                                                     {Gate::kPconfig, "pconfig"},
                                                     {Gate::kDca, "dca"},
                                                     {Gate::kTme, "tme"},
                                                     {Gate::kTscDeadline, "tsc-deadline"}};
  switch (rule) {
    case Rule::kNative:
      return "native";
    case Rule::kGp:
      return "gp";
    case Rule::kVe:
      return "ve";
    case Rule::kEmulated:
      return "emulated";
    case Rule::kNativeIfElseGp:
      return "native-if:" + kGates.at(gate) + ":gp";
    case Rule::kNativeIfElseEmulated:
      return "native-if:" + kGates.at(gate) + ":emulated";
    case Rule::kVeIfElseGp:
      return "ve-if:" + kGates.at(gate) + ":gp";
  }
  return "?";
}

std::string rules_of(std::uint32_t index) {
  for (const auto& range : msr::kRanges)
    if (index >= range.first && index <= range.last)
      return text_of(range.read, range.gate) + " " + text_of(range.write, range.gate);
  return "ve ve";
}

TEST(MsrTable, IsTheModules) {
  std::map<std::uint32_t, std::string> expected;
  for (const std::string& line : lines_of("msr-virtualization.txt")) {
    std::istringstream fields(line);
    std::uint32_t first = 0, last = 0;
    std::string read, write;
    fields >> std::hex >> first >> last >> read >> write;
    for (std::uint32_t index = first; index <= last; ++index) expected[index] = read + " " + write;
  }
  ASSERT_GT(expected.size(), 1000U);
  for (const std::uint32_t base : {0U, 0xC0000000U})
    for (std::uint32_t index = base; index < base + 0x2000; ++index) {
      const auto found = expected.find(index);
      EXPECT_EQ(rules_of(index), found == expected.end() ? "ve ve" : found->second) << std::hex << index;
    }
}

std::size_t register_index(const std::string& name) {
  constexpr std::array<const char*, 4> kNames = {"eax", "ebx", "ecx", "edx"};
  return static_cast<std::size_t>(std::find(kNames.begin(), kNames.end(), name) - kNames.begin());
}

std::uint32_t subleaf_of(const std::string& text) {
  return text == "-" ? tdx::kNoSubleaf : static_cast<std::uint32_t>(std::stoul(text));
}

const tdx::CpuidLeafRule* find_rule(std::uint32_t leaf, std::uint32_t subleaf) {
  for (const auto& rule : tdx::kCpuidLeaves)
    if (rule.leaf == leaf && rule.subleaf == subleaf) return &rule;
  return nullptr;
}

TEST(CpuidTable, HasTheModulesMasks) {
  std::size_t registers = 0;
  for (const std::string& line : lines_of("cpuid-virtualization.txt")) {
    if (line.starts_with("gate")) continue;
    std::istringstream fields(line);
    std::uint32_t leaf = 0;
    std::string subleaf, config, name;
    tdx::CpuidRegisterRule expected{};
    fields >> std::hex >> leaf >> subleaf >> config >> name >> expected.fixed1 >> expected.fixed0 >>
        expected.config_direct >> expected.allow_direct >> expected.dynamic;
    const auto* const rule = find_rule(leaf, subleaf_of(subleaf));
    ASSERT_NE(rule, nullptr) << line;
    const auto& masks = rule->registers[register_index(name)];
    EXPECT_EQ(rule->config_index, config == "-" ? -1 : std::stoi(config)) << line;
    EXPECT_EQ(masks.fixed1, expected.fixed1) << line;
    EXPECT_EQ(masks.fixed0, expected.fixed0) << line;
    EXPECT_EQ(masks.config_direct, expected.config_direct) << line;
    EXPECT_EQ(masks.allow_direct, expected.allow_direct) << line;
    EXPECT_EQ(masks.dynamic, expected.dynamic) << line;
    ++registers;
  }
  EXPECT_EQ(registers, 4 * tdx::kCpuidLeaves.size());
}

TEST(CpuidTable, HasTheModulesGates) {
  std::size_t gates = 0;
  for (const std::string& line : lines_of("cpuid-virtualization.txt")) {
    if (!line.starts_with("gate ")) continue;
    std::istringstream fields(line);
    std::string word, subleaf, name, kind;
    std::uint32_t leaf = 0, mask = 0;
    int bit = 0;
    fields >> word >> std::hex >> leaf >> subleaf >> name >> kind >> std::dec >> bit >> std::hex >> mask;
    const auto expected_kind = kind == "xfam" ? tdx::GateKind::kXfam : tdx::GateKind::kAttribute;
    const bool found =
        std::any_of(tdx::kCpuidGates.begin(), tdx::kCpuidGates.end(), [&](const tdx::CpuidGate& gate) {
          return gate.leaf == leaf && gate.subleaf == subleaf_of(subleaf) &&
                 gate.register_index == register_index(name) && gate.kind == expected_kind &&
                 gate.bit == bit && gate.mask == mask;
        });
    EXPECT_TRUE(found) << line;
    ++gates;
  }
  EXPECT_EQ(gates, tdx::kCpuidGates.size());
}

}  // namespace
}  // namespace virttdx::softhost
