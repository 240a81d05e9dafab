// SPDX-License-Identifier: GPL-2.0-or-later
#include "vcpu/exit_trace.h"

#include <gtest/gtest.h>

namespace virttdx {
namespace {

constexpr std::uint64_t kStart = 1'000'000'000'000;

class Trace : public testing::Test {
 protected:
  void handle(const VcpuExit& exit, std::uint64_t took_ns, std::uint32_t vcpu = 0) {
    trace_.record(vcpu, ExitTrace::kind_of(exit), kStart + 1, kStart + 1 + took_ns);
  }
  ExitTrace trace_{2};
};

IoExit port_write(std::uint16_t port) { return {.is_write = true, .port = port, .size = 1, .data = {}}; }

TEST_F(Trace, IsOffUntilItIsRead) {
  EXPECT_FALSE(trace_.is_on());
  handle(port_write(0x3F8), 10);
  EXPECT_TRUE(trace_.read(kStart).exits.empty());
  EXPECT_TRUE(trace_.is_on());
}

TEST_F(Trace, TellsWhatTheGuestAskedForAndHowLongItTook) {
  trace_.read(kStart);
  handle(port_write(0x3F8), 1000);
  handle(port_write(0x3F8), 3000, 1);
  const auto statistics = trace_.read(kStart + 5000);
  EXPECT_EQ(statistics.elapsed_ns, 5000U);
  ASSERT_EQ(statistics.exits.size(), 1U);
  const ExitCount& exit = statistics.exits[0];
  EXPECT_EQ(exit.reason, "KVM_EXIT_IO");
  EXPECT_EQ(exit.td_vmcall, "Instruction.IO");
  EXPECT_EQ(exit.port, 0x3F8);
  EXPECT_EQ(exit.write, true);
  EXPECT_EQ(exit.count, 2U);
  EXPECT_EQ(exit.total_ns, 4000U);
  EXPECT_EQ(exit.maximum_ns, 3000U);
}

TEST_F(Trace, CountsByPowersOfTwoNanoseconds) {
  trace_.read(kStart);
  for (const std::uint64_t took : {0, 1, 2, 3, 4, 7, 8}) handle(InterruptedExit{}, took);
  const auto statistics = trace_.read(kStart + 100);
  ASSERT_EQ(statistics.exits.size(), 1U);
  EXPECT_EQ(statistics.exits[0].histogram, (std::vector<std::uint64_t>{2, 2, 2, 1}));
}

TEST_F(Trace, TellsKindsApart) {
  trace_.read(kStart);
  kvm::kvm_run run{};
  run.tdx.nr = 0x10002;
  std::uint64_t answer = 0;
  handle(port_write(0x80), 1);
  handle(IoExit{.is_write = false, .port = 0x80, .size = 1, .data = {}}, 1);
  handle(MmioExit{.is_write = true, .gpa = {0xFEC00010}, .data = {}}, 1);
  handle(HypercallExit{.number = kvm::KVM_HC_MAP_GPA_RANGE, .args = {}, .answer = &answer}, 1);
  handle(TdxExit{&run}, 1);
  handle(SystemEventExit{.type = kvm::KVM_SYSTEM_EVENT_TDX_FATAL, .data = {}}, 1);
  handle(MemoryFaultExit{}, 1);
  std::vector<std::string> calls;
  for (const auto& exit : trace_.read(kStart + 100).exits)
    calls.push_back(exit.td_vmcall.value_or(exit.reason));
  EXPECT_EQ(calls, (std::vector<std::string>{"Instruction.IO", "Instruction.IO", "MapGPA", "#VE.RequestMMIO",
                                             "ReportFatalError", "KVM_EXIT_MEMORY_FAULT", "GetQuote"}));
}

TEST_F(Trace, GoesOffWhenNobodyReadsAnyMore) {
  trace_.read(kStart);
  const auto kind = ExitTrace::kind_of(port_write(0x80));
  trace_.record(0, kind, kStart + ExitTrace::kLeaseNs, kStart + ExitTrace::kLeaseNs);
  EXPECT_TRUE(trace_.is_on());
  trace_.record(0, kind, kStart + ExitTrace::kLeaseNs + 1, kStart + ExitTrace::kLeaseNs + 2);
  EXPECT_FALSE(trace_.is_on());
}

TEST_F(Trace, BeginsAnewAfterItWasOff) {
  trace_.read(kStart);
  handle(port_write(0x80), 1);
  const auto statistics = trace_.read(kStart + 2 * ExitTrace::kLeaseNs);
  EXPECT_EQ(statistics.elapsed_ns, 0U);
  EXPECT_TRUE(statistics.exits.empty());
}

TEST_F(Trace, KeepsNoMoreKindsThanItsLimitWhateverAGuestDoes) {
  trace_.read(kStart);
  for (std::uint32_t port = 0; port < 0x10000; ++port)
    handle(port_write(static_cast<std::uint16_t>(port)), 1);
  const auto statistics = trace_.read(kStart + 100);
  EXPECT_EQ(statistics.exits.size(), ExitTrace::kKindsMaximum);
  EXPECT_EQ(statistics.untold, 0x10000 - ExitTrace::kKindsMaximum);
}

}  // namespace
}  // namespace virttdx
