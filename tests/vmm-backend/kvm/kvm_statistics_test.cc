// SPDX-License-Identifier: GPL-2.0-or-later
// Counts of a real-mode program, the same against each implementation of the seam; and files that are no
// statistics.
#include "kvm/kvm_statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "each_host.h"
#include "fake_kernel.h"
#include "kvm/kvm.h"
#include "kvm/statistics_spec.h"
#include "memory/anonymous_mapping.h"
#include "named_counts.h"

namespace virttdx {
namespace {

using test::named_counts;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t kLoop = 0x1000, kLoopSize = 0x1000;
// out %al, $0x10; out %al, $0x10; mov %al, 0x8000; hlt
constexpr std::array<std::uint8_t, 8> kProgram = {0xE6, 0x10, 0xE6, 0x10, 0xA2, 0x00, 0x80, 0xF4};

class CountsOfAVm : public testing::TestWithParam<test::Host> {
 protected:
  void SetUp() override {
    kernel_ = GetParam().create();
    auto kvm = Kvm::open(*kernel_);
    if (!kvm) GTEST_SKIP() << kvm.error().message();
    EXPECT_NE(kvm->check_extension(kvm::KVM_CAP_BINARY_STATS_FD), 0);
    vm_.emplace(kvm->create_vm(kvm::KVM_X86_DEFAULT_VM).value());
    std::memcpy(memory_.bytes().data(), kProgram.data(), kProgram.size());
    ASSERT_TRUE(vm_->set_memory_region(kvm::kvm_userspace_memory_region{
        0, 0, kLoop, kLoopSize, reinterpret_cast<std::uint64_t>(memory_.bytes().data())}));
    vcpu_.emplace(vm_->create_vcpu(0).value());
    auto system = vcpu_->system_registers().value();
    system.cs.base = 0;
    system.cs.selector = 0;
    ASSERT_TRUE(vcpu_->set_system_registers(system));
    kvm::kvm_regs registers{};
    registers.rip = kLoop;
    registers.rflags = 2;
    ASSERT_TRUE(vcpu_->set_registers(registers));
  }

  AnonymousMapping memory_ = AnonymousMapping::create(kLoopSize).value();
  std::unique_ptr<KernelCalls> kernel_;
  std::optional<KvmVm> vm_;
  std::optional<KvmVcpu> vcpu_;
};

TEST_P(CountsOfAVm, AreThoseOfItsExits) {
  const auto statistics = KvmStatistics::open(vcpu_->statistics_fd().value());
  ASSERT_TRUE(statistics) << statistics.error().message();
  auto before = named_counts(*statistics);
  for (const char* const name : {"exits", "io_exits", "mmio_exits", "halt_exits", "signal_exits"})
    EXPECT_EQ(before.at(name), 0U) << name;
  while (!std::holds_alternative<HltExit>(vcpu_->run().value())) {
  }
  auto after = named_counts(*statistics);
  EXPECT_EQ(after.at("io_exits"), 2U);
  EXPECT_EQ(after.at("mmio_exits"), 1U);
  EXPECT_EQ(after.at("halt_exits"), 1U);
  EXPECT_GE(after.at("exits"), 4U);
}

TEST_P(CountsOfAVm, SayWhatKindTheyAre) {
  const auto statistics = KvmStatistics::open(vcpu_->statistics_fd().value());
  ASSERT_TRUE(statistics);
  const auto& columns = statistics->columns();
  const StatisticColumn exits{"exits", StatisticKind::Sum, false};
  const StatisticColumn blocking{"blocking", StatisticKind::Current, true};
  EXPECT_EQ(std::ranges::count(columns, exits), 1);
  EXPECT_EQ(std::ranges::count(columns, blocking), 1);
}

TEST_P(CountsOfAVm, AreOfTheVmToo) {
  const auto statistics = KvmStatistics::open(vm_->statistics_fd().value());
  ASSERT_TRUE(statistics) << statistics.error().message();
  const StatisticColumn pages{"pages_4k", StatisticKind::Current, false};
  EXPECT_EQ(std::ranges::count(statistics->columns(), pages), 1);
  EXPECT_EQ(named_counts(*statistics).at("pages_2m"), 0U);
}

TEST_P(CountsOfAVm, OutliveTheDescriptorsOfWhatTheyCount) {
  const auto statistics = KvmStatistics::open(vcpu_->statistics_fd().value());
  ASSERT_TRUE(statistics);
  vcpu_.reset();
  vm_.reset();
  EXPECT_EQ(named_counts(*statistics).at("exits"), 0U);
}

INSTANTIATE_TEST_SUITE_P(EachHost, CountsOfAVm, test::each_host(), test::name_of);

// A file of statistics with names of 8 bytes, made by hand.
class StatisticsFile : public testing::Test {
 protected:
  struct Row {
    kvm::kvm_stats_desc descriptor;
    std::array<char, 8> name;
  };
  static_assert(sizeof(Row) == 24);

  void write(std::vector<Row> rows, std::vector<std::uint64_t> data) {
    header_.num_desc = static_cast<std::uint32_t>(rows.size());
    header_.data_offset = static_cast<std::uint32_t>(sizeof(header_) + rows.size() * sizeof(Row));
    auto& file = kernel_.statistics_file;
    file.resize(header_.data_offset + data.size() * sizeof(std::uint64_t));
    std::memcpy(file.data(), &header_, sizeof(header_));
    if (!rows.empty()) std::memcpy(&file[sizeof(header_)], rows.data(), rows.size() * sizeof(Row));
    if (!data.empty())
      std::memcpy(&file[header_.data_offset], data.data(), data.size() * sizeof(std::uint64_t));
  }
  Result<KvmStatistics> open() { return KvmStatistics::open(KernelFd(kernel_, kFd)); }

  static constexpr int kFd = 50;
  test::FakeKernel kernel_;
  kvm::kvm_stats_header header_{
      .flags = 0, .name_size = 8, .num_desc = 0, .id_offset = 0, .desc_offset = 24, .data_offset = 0};
};

TEST_F(StatisticsFile, GivesEachValueItsNameAndKindAndLeavesHistogramsOut) {
  write({{{kvm::KVM_STATS_TYPE_CUMULATIVE, 0, 1, 16, 0}, {"later"}},
         {{kvm::KVM_STATS_TYPE_LOG_HIST, 0, 2, 0, 0}, {"hist"}},
         {{kvm::KVM_STATS_TYPE_PEAK, 0, 1, 8, 0}, {'e', 'i', 'g', 'h', 't', '_', 'i', 's'}},
         {{kvm::KVM_STATS_TYPE_INSTANT | kvm::KVM_STATS_UNIT_BOOLEAN, 0, 1, 0, 0}, {"flag"}}},
        {1, 22, 333});
  const auto statistics = open();
  ASSERT_TRUE(statistics) << statistics.error().message();
  EXPECT_THAT(statistics->columns(), ElementsAre(StatisticColumn{"later", StatisticKind::Sum, false},
                                                 StatisticColumn{"eight_is", StatisticKind::Peak, false},
                                                 StatisticColumn{"flag", StatisticKind::Current, true}));
  EXPECT_THAT(statistics->read().value(), ElementsAre(333U, 22U, 1U));
}

TEST_F(StatisticsFile, MayHaveNone) {
  write({}, {});
  const auto statistics = open();
  ASSERT_TRUE(statistics);
  EXPECT_TRUE(statistics->read().value().empty());
}

TEST_F(StatisticsFile, IsRefusedWhenItsHeaderAsksForTooMuch) {
  header_.name_size = 1 << 30;
  write({}, {});
  EXPECT_THAT(open().error().message(), HasSubstr("names of 1073741824 bytes"));
}

TEST_F(StatisticsFile, IsRefusedWhenItEndsInItsDescriptors) {
  write({{{0, 0, 1, 0, 0}, {"one"}}}, {});
  kernel_.statistics_file.resize(40);
  EXPECT_EQ(open().error().code(), Error::Code::InvalidData);
}

TEST_F(StatisticsFile, CannotBeReadPastItsEnd) {
  write({{{0, 0, 1, 1 << 19, 0}, {"one"}}}, {1});
  const auto statistics = open();
  ASSERT_TRUE(statistics);
  EXPECT_THAT(statistics->read().error().message(), HasSubstr("KVM's statistics end at 56"));
}

TEST_F(StatisticsFile, ThatIsNoneGivesTheKernelsError) { EXPECT_EQ(open().error().system_errno(), EINVAL); }

}  // namespace
}  // namespace virttdx
