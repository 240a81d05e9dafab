// SPDX-License-Identifier: GPL-2.0-or-later
// The software TDX host's ordinary VM answers as a real kernel's: random sequences of generic ioctls and tiny
// real-mode programs, run against both. Where the two differ, a row of tests/data/kvm/differences.json says
// so and why.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "ioctl_steps.h"
#include "real_mode_program.h"
#include "softhost/soft_host.h"

namespace virttdx {
namespace {

struct Difference {
  std::string step_text;
  std::regex step, kernel, software;
  std::string reason;
  bool is_met = false;
};

std::vector<Difference> read_differences() {
  std::ifstream file(VIRTTDX_TEST_DATA "/kvm/differences.json");
  std::vector<Difference> rows;
  for (const auto& row : nlohmann::json::parse(file))
    rows.push_back({.step_text = row.at("step"),
                    .step = std::regex(row.at("step").get<std::string>()),
                    .kernel = std::regex(row.at("kernel").get<std::string>()),
                    .software = std::regex(row.at("software").get<std::string>()),
                    .reason = row.at("reason")});
  return rows;
}

std::vector<Difference>& differences() {
  static std::vector<Difference> rows = read_differences();
  return rows;
}

bool is_listed(const std::string& step, const std::string& kernel, const std::string& software) {
  bool listed = false;
  for (Difference& row : differences())
    if (std::regex_match(step, row.step) && std::regex_match(kernel, row.kernel) &&
        std::regex_match(software, row.software))
      listed = row.is_met = true;
  return listed;
}

/// What one case asks of both hosts.
struct Case {
  std::array<RealModeProgram, 2> programs;
  std::vector<Step> steps;
};

std::ostream& operator<<(std::ostream& out, const Case& value) {
  for (const auto& program : value.programs) out << "\nprogram:" << program.text();
  for (const Step& step : value.steps) out << "\n" << step.text();
  return out;
}

constexpr std::uint64_t kProgramDistance = 0x100;

void prepare(IoctlMachine& machine, const Case& value) {
  for (std::size_t i = 0; i < value.programs.size(); ++i)
    machine.load(i * kProgramDistance, value.programs[i].bytes());
}

// Most cases should have memory and a vCPU, some not.
std::vector<Step> usual_beginning() {
  std::vector<Step> steps;
  for (const std::string name : {"KVM_SET_USER_MEMORY_REGION", "KVM_CREATE_VCPU", "start a program"})
    for (std::size_t kind = 0; kind < step_kinds().size(); ++kind)
      if (step_kinds()[kind].name == name) steps.push_back({.kind = kind, .choice = {}});
  return steps;
}

rc::Gen<Step> any_step() {
  return rc::gen::apply(
      [](std::size_t kind, std::array<std::size_t, 5> choice) {
        return Step{kind, choice};
      },
      rc::gen::inRange<std::size_t>(0, step_kinds().size()),
      rc::gen::container<std::array<std::size_t, 5>>(rc::gen::inRange<std::size_t>(0, 60)));
}

/// Of the steps that matter most, more than their share.
rc::Gen<Step> running_step() {
  static const std::vector<std::size_t> kinds = [] {
    std::vector<std::size_t> result;
    for (std::size_t kind = 0; kind < step_kinds().size(); ++kind)
      for (const std::string name : {"KVM_RUN", "KVM_GET_REGS", "KVM_GET_SREGS", "start a program"})
        if (step_kinds()[kind].name == name) result.push_back(kind);
    return result;
  }();
  return rc::gen::apply(
      [](std::size_t kind, std::array<std::size_t, 5> choice) {
        return Step{kind, choice};
      },
      rc::gen::elementOf(kinds),
      rc::gen::container<std::array<std::size_t, 5>>(rc::gen::inRange<std::size_t>(0, 60)));
}

rc::Gen<Case> any_case() {
  return rc::gen::apply(
      [](std::array<RealModeProgram, 2> programs, bool with_beginning, std::vector<Step> steps) {
        Case result{std::move(programs), with_beginning ? usual_beginning() : std::vector<Step>{}};
        result.steps.insert(result.steps.end(), steps.begin(), steps.end());
        return result;
      },
      rc::gen::container<std::array<RealModeProgram, 2>>(any_real_mode_program()),
      rc::gen::map(rc::gen::inRange(0, 8), [](int roll) { return roll != 7; }),
      rc::gen::container<std::vector<Step>>(rc::gen::oneOf(any_step(), running_step())));
}

class SameAnswers : public testing::Test {
 protected:
  void SetUp() override {
    kernel_ = linux_kernel_calls();
    software_ = softhost::create_soft_host();
    const IoctlMachine probe(*kernel_);
    if (!probe.refusal().empty()) GTEST_SKIP() << "no kernel to compare with: " << probe.refusal();
  }

  /// The first step of a case where the hosts differ and no row says so; nothing: there is none.
  std::optional<std::string> unlisted_difference(const Case& value) {
    IoctlMachine on_kernel(*kernel_), on_software(*software_);
    prepare(on_kernel, value);
    prepare(on_software, value);
    for (const Step& step : value.steps) {
      const std::string kernel = step.perform(on_kernel);
      const std::string software = step.perform(on_software);
      if (kernel != software && !is_listed(step.text(), kernel, software))
        return step.text() + "\n  kernel:   " + kernel + "\n  software: " + software;
    }
    return std::nullopt;
  }

  std::unique_ptr<KernelCalls> kernel_, software_;
};

TEST_F(SameAnswers, ToEachSingleStepOfTheGrammar) {
  for (std::size_t kind = 0; kind < step_kinds().size(); ++kind) {
    const auto& values = step_kinds()[kind].values;
    for (std::size_t argument = 0; argument < values.size(); ++argument)
      for (std::size_t value = 0; value < values[argument].size(); ++value) {
        Case one{{}, usual_beginning()};
        Step step{.kind = kind, .choice = {}};
        step.choice[argument] = value;
        one.steps.push_back(step);
        const auto difference = unlisted_difference(one);
        EXPECT_FALSE(difference) << difference.value_or("");
      }
  }
}

TEST_F(SameAnswers, ToRandomSequences) {
  const bool holds = rc::check([&] {
    const Case value = *any_case();
    if (const auto difference = unlisted_difference(value)) RC_FAIL(*difference);
  });
  EXPECT_TRUE(holds);
}

// The table itself, with or without a kernel.
TEST(DifferenceTable, NamesStepsOfTheGrammarAndAReason) {
  std::vector<std::string> steps;
  for (std::size_t kind = 0; kind < step_kinds().size(); ++kind)
    for (std::size_t first = 0; first < 30; ++first)
      for (std::size_t second = 0; second < 6; ++second)
        for (std::size_t third = 0; third < 6; ++third)
          steps.push_back(Step{kind, {first, second, third, 0, 0}}.text());
  for (const Difference& row : differences()) {
    const bool known = std::any_of(steps.begin(), steps.end(),
                                   [&](const std::string& step) { return std::regex_match(step, row.step); });
    EXPECT_TRUE(known) << row.step_text;
    EXPECT_GT(row.reason.size(), 20U) << row.step_text;
  }
}

}  // namespace
}  // namespace virttdx
