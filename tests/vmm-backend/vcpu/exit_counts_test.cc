// SPDX-License-Identifier: GPL-2.0-or-later
#include "vcpu/exit_counts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace virttdx {
namespace {

std::map<std::string, std::uint64_t> by_name(const ExitCounts& counts, std::uint32_t vcpu) {
  const auto values = counts.read(vcpu);
  std::map<std::string, std::uint64_t> named;
  for (std::size_t i = 0; i < values.size(); ++i) named.emplace(ExitCounts::columns().at(i).name, values[i]);
  return named;
}

TEST(ExitCounts, AreOfEachVcpuByReason) {
  ExitCounts counts(2);
  counts.count(0, IoExit{});
  counts.count(0, IoExit{});
  counts.count(0, TdxExit{});
  counts.count(1, InterruptedExit{});
  using Named = std::map<std::string, std::uint64_t>;
  EXPECT_EQ(by_name(counts, 0), (Named{{"kvm_exit_io", 2},
                                       {"kvm_exit_mmio", 0},
                                       {"kvm_exit_hypercall", 0},
                                       {"kvm_exit_memory_fault", 0},
                                       {"kvm_exit_tdx", 1},
                                       {"kvm_exit_intr", 0}}));
  EXPECT_EQ(by_name(counts, 1).at("kvm_exit_intr"), 1U);
}

TEST(ExitCounts, LeaveOutWhatEndsATd) {
  ExitCounts counts(1);
  counts.count(0, ShutdownExit{});
  counts.count(0, UnknownExit{99});
  EXPECT_THAT(counts.read(0), testing::Each(0U));
}

}  // namespace
}  // namespace virttdx
