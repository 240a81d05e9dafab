// SPDX-License-Identifier: GPL-2.0-or-later
// The life of a VM, with guests of two bytes on the software TDX host.
#include "vm_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "huge_pages.h"
#include "panicking_guest.h"
#include "support/byte_order.h"
#include "vmm_backend/td_prediction.h"

namespace virttdx {
namespace {

using test::VmTest;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::initializer_list<int> kEndlessLoop = {0xEB, 0xFE};  // jmp $
constexpr std::initializer_list<int> kTripleFault = {0x0F, 0x0B};  // ud2, without an IDT

TEST_F(VmTest, StartsAndStops) {
  start(kEndlessLoop);
  EXPECT_EQ(vm_->status().state, VmState::Running);
  wait_until_it_runs();
  ASSERT_TRUE(vm_->stop());
  EXPECT_EQ(vm_->status().state, VmState::Stopped);
  EXPECT_EQ(vm_->status().stop_reason, StopReason::Destroyed);
  EXPECT_THAT(kinds(), ElementsAre(Kind::Launched, Kind::Stopped));
}

TEST_F(VmTest, TellsMeasurementsThatItsHostConfirms) {
  create(kEndlessLoop);
  EXPECT_EQ(vm_->measurements().error().code(), Error::Code::WrongState);
  EXPECT_EQ(vm_->cpuid().error().code(), Error::Code::WrongState);
  ASSERT_TRUE(vm_->start());
  const auto measurements = vm_->measurements();
  ASSERT_TRUE(measurements);
  EXPECT_EQ(measurements->host_mrtd, measurements->mrtd);
  EXPECT_FALSE(vm_->cpuid()->actual.empty());
}

TEST_F(VmTest, DoesNotRunWhilePaused) {
  start(kEndlessLoop);
  ASSERT_TRUE(vm_->pause());
  EXPECT_EQ(vm_->pause().error().code(), Error::Code::WrongState);
  wait_until_it_stands_still();
  ASSERT_TRUE(vm_->resume());
  wait_until_it_runs();
  EXPECT_EQ(vm_->resume().error().message(), "Cannot resume 'test': it is running");
  EXPECT_THAT(kinds(), ElementsAre(Kind::Launched, Kind::Paused, Kind::Resumed));
}

TEST_F(VmTest, StartsPausedWhenAsked) {
  config_.start_paused = true;
  start(kEndlessLoop);
  EXPECT_EQ(vm_->status().state, VmState::Paused);
  ASSERT_TRUE(vm_->resume());
  wait_until_it_runs();
}

TEST_F(VmTest, ResetMakesANewTd) {
  start(kEndlessLoop);
  ASSERT_TRUE(vm_->reset());
  EXPECT_EQ(vm_->status().state, VmState::Running);
  EXPECT_EQ(vm_->status().recreated, 1U);
  wait_until_it_runs();
  ASSERT_TRUE(vm_->pause());
  ASSERT_TRUE(vm_->reset());
  EXPECT_EQ(vm_->status().state, VmState::Paused);
  EXPECT_THAT(kinds(), ElementsAre(Kind::Launched, Kind::Reset, Kind::Recreated, Kind::Paused, Kind::Reset,
                                   Kind::Recreated));
}

TEST_F(VmTest, CountsOfKvmGoOnOverAReset) {
  create(kEndlessLoop);
  EXPECT_EQ(vm_->statistics().error().code(), Error::Code::WrongState);
  ASSERT_TRUE(vm_->start());
  const auto interrupted = [this] {
    const auto vcpus = vm_->statistics().value().vcpus;
    const auto column = std::ranges::find(vcpus.columns, "kvm_exit_intr", &StatisticColumn::name);
    return vcpus.rows.at(0).at(static_cast<std::size_t>(column - vcpus.columns.begin()));
  };
  // A pause that comes before the vCPU's first entry interrupts nothing.
  const auto run_until_above = [&](std::uint64_t count) {
    while (interrupted() == count) {
      ASSERT_TRUE(vm_->resume());
      wait_until_it_runs();
      ASSERT_TRUE(vm_->pause());
    }
  };
  ASSERT_TRUE(vm_->pause());
  run_until_above(0);
  const std::uint64_t before = interrupted();
  ASSERT_TRUE(vm_->reset());
  EXPECT_EQ(interrupted(), before);
  run_until_above(before);
  ASSERT_TRUE(vm_->stop());
  EXPECT_THAT(vm_->statistics().error().message(), HasSubstr("does not run"));
}

std::size_t threads_named(std::string_view name) {
  std::size_t count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string comm;
    std::getline(std::ifstream(task.path() / "comm"), comm);
    if (comm == name) ++count;
  }
  return count;
}

// The daemon finds it by its name, for its CPU time, pins and control group.
TEST_F(VmTest, OnlyTheVcpusThreadHasItsName) {
  start(kEndlessLoop);
  while (threads_named("engine-kicker") == 0) std::this_thread::yield();
  EXPECT_EQ(threads_named("vcpu0"), 1U);
}

// What a process has that a TD could leave behind.
struct Holdings {
  std::size_t descriptors;
  std::size_t threads;
  std::size_t mapped_bytes;
};

Holdings holdings() {
  const auto count = [](const char* folder) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
  };
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return {count("/proc/self/fd"), count("/proc/self/task"), pages * kPageSize};
}

TEST_F(VmTest, AHundredResetsLeaveNothingBehind) {
  start(kEndlessLoop);
  // Allocators and thread stacks have their final shape after a few.
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(vm_->reset());
  const Holdings before = holdings();
  for (int i = 0; i < 100; ++i) {
    const auto reset = vm_->reset();
    ASSERT_TRUE(reset) << i << ": " << reset.error().message();
    ASSERT_EQ(vm_->status().state, VmState::Running) << i << ": " << vm_->status().message;
  }
  const Holdings after = holdings();
  EXPECT_EQ(vm_->status().recreated, 105U);
  EXPECT_EQ(after.descriptors, before.descriptors);
  // A vCPU's thread makes its engine, with a thread and a GiB of addresses, when it first runs: either figure
  // may have been read before that. What each reset left behind would be there a hundred times.
  EXPECT_LT(after.threads, before.threads + 50);
  EXPECT_LT(after.mapped_bytes, before.mapped_bytes + 50 * config_.memory_bytes);
}

TEST_F(VmTest, ACrashMakesANewTdWhenTheConfigurationSaysSo) {
  config_.on_crash = ResetAction::Recreate;
  start(kTripleFault);
  wait_for(Kind::Recreated);
  EXPECT_GE(vm_->status().recreated, 1U);
  EXPECT_NE(vm_->status().state, VmState::Stopped);
}

TEST_F(VmTest, PredictionEqualsTheTdReportOfItsHost) {
  config_.td.mr_config_id.fill(std::byte{1});
  config_.td.mr_owner.fill(std::byte{2});
  config_.td.mr_owner_config.fill(std::byte{3});
  std::optional<std::vector<std::byte>> report;
  on_host_mrtd_ = [&](int fd) { report = host_->td_report(fd); };
  start(kEndlessLoop);
  ASSERT_TRUE(report);
  const auto predicted = predict_td(config_.td, load_tdvf(firmware_).value());
  ASSERT_TRUE(predicted);
  const auto in_report = [&](std::size_t offset) {
    Measurement digest{};
    std::copy_n(report->begin() + static_cast<std::ptrdiff_t>(offset), digest.size(), digest.begin());
    return digest;
  };
  // TDREPORT_STRUCT: TEE_INFO_HASH at 80, TDINFO at 512.
  EXPECT_EQ(predicted->td_info_hash, in_report(80));
  EXPECT_EQ(predicted->attributes, load_le<std::uint64_t>(*report, 512));
  EXPECT_EQ(predicted->xfam, load_le<std::uint64_t>(*report, 520));
  EXPECT_EQ(predicted->mrtd, in_report(528));
  EXPECT_EQ(predicted->mr_config_id, in_report(576));
  EXPECT_EQ(predicted->mr_owner, in_report(624));
  EXPECT_EQ(predicted->mr_owner_config, in_report(672));
}

TEST_F(VmTest, ResetStopsWhenTheConfigurationSaysSo) {
  config_.on_reset = ResetAction::Stop;
  start(kEndlessLoop);
  ASSERT_TRUE(vm_->reset());
  EXPECT_EQ(vm_->status().stop_reason, StopReason::Reset);
  EXPECT_THAT(kinds(), ElementsAre(Kind::Launched, Kind::Reset, Kind::Stopped));
}

TEST_F(VmTest, ReportsACrash) {
  start(kTripleFault);
  wait_for_stopped();
  EXPECT_EQ(vm_->status().stop_reason, StopReason::Crashed);
  EXPECT_THAT(vm_->status().message, HasSubstr("triple fault on vCPU 0"));
  EXPECT_THAT(kinds(), ElementsAre(Kind::Launched, Kind::Stopped));
}

constexpr const char* kPanic = "guest reports fatal error 0x12: \"disk on fire!\", data at 0x123000";

TEST_F(VmTest, ReportsWhatTheGuestPanickedWith) {
  start(test::panicking_guest().bytes());
  wait_for_stopped();
  EXPECT_EQ(vm_->status().stop_reason, StopReason::Crashed);
  EXPECT_EQ(vm_->status().message, kPanic);
  EXPECT_THAT(kinds(), ElementsAre(Kind::Launched, Kind::Panicked, Kind::Stopped));
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(events_.at(1).message, kPanic);
}

TEST_F(VmTest, APanicMakesANewTdWhenTheConfigurationSaysSo) {
  config_.on_crash = ResetAction::Recreate;
  start(test::panicking_guest().bytes());
  wait_for(Kind::Recreated);
  const auto seen = kinds();
  EXPECT_THAT(std::vector(seen.begin(), seen.begin() + 4),
              ElementsAre(Kind::Launched, Kind::Panicked, Kind::Reset, Kind::Recreated));
}

TEST_F(VmTest, KeepsACrashedGuestWhenTheConfigurationSaysSo) {
  config_.on_crash = ResetAction::Preserve;
  start(test::panicking_guest().bytes());
  wait_for(Kind::Preserved);
  EXPECT_EQ(vm_->status().state, VmState::Crashed);
  EXPECT_EQ(vm_->status().message, kPanic);
  EXPECT_EQ(vm_->resume().error().message(), "Cannot resume 'test': it is crashed");
  EXPECT_TRUE(vm_->measurements());
  EXPECT_THAT(kinds(), ElementsAre(Kind::Launched, Kind::Panicked, Kind::Preserved));
  ASSERT_TRUE(vm_->reset());
  EXPECT_EQ(vm_->status().state, VmState::Paused);
  ASSERT_TRUE(vm_->resume());
  ASSERT_TRUE(vm_->stop());
  EXPECT_EQ(vm_->status().stop_reason, StopReason::Destroyed);
}

TEST_F(VmTest, HasHugePagesForItsSharedMemory) {
  config_.shared_page_bytes = 2U << 20;
  const std::size_t wanted = config_.memory_bytes / config_.shared_page_bytes;
  const std::size_t free_before = test::free_huge_pages();
  if (free_before < wanted)
    GTEST_SKIP() << "fewer than " << wanted << " huge pages are free (sysctl vm.nr_hugepages)";
  start(kEndlessLoop);
  wait_until_it_runs();
  EXPECT_EQ(test::free_huge_pages(), free_before - wanted);
  ASSERT_TRUE(vm_->stop());
  EXPECT_EQ(test::free_huge_pages(), free_before);
}

TEST_F(VmTest, SaysWhichHugePagesTheHostHasNot) {
  config_.memory_bytes = 1ULL << 40;
  config_.shared_page_bytes = 2U << 20;
  create(kEndlessLoop);
  EXPECT_FALSE(vm_->start());
  EXPECT_EQ(vm_->status().stop_reason, StopReason::LaunchFailed);
  EXPECT_THAT(vm_->status().message, HasSubstr("huge pages"));
}

TEST_F(VmTest, ReportsAFailedLaunch) {
  config_.td.xfam |= 1ULL << 63;
  create(kEndlessLoop);
  EXPECT_FALSE(vm_->start());
  EXPECT_EQ(vm_->status().stop_reason, StopReason::LaunchFailed);
  EXPECT_THAT(vm_->status().message, HasSubstr("XFAM"));
  EXPECT_THAT(kinds(), ElementsAre(Kind::Stopped));
}

TEST_F(VmTest, RefusesEverythingOnceStopped) {
  start(kEndlessLoop);
  ASSERT_TRUE(vm_->stop());
  EXPECT_TRUE(vm_->stop());
  for (const auto& refused : {vm_->start(), vm_->pause(), vm_->resume(), vm_->reset(), vm_->powerdown(false)})
    EXPECT_EQ(refused.error().code(), Error::Code::WrongState);
  EXPECT_THAT(kinds(), ElementsAre(Kind::Launched, Kind::Stopped));
}

TEST_F(VmTest, StopsWhenDestroyed) {
  start(kEndlessLoop);
  vm_.reset();
  EXPECT_THAT(kinds(), ElementsAre(Kind::Launched, Kind::Stopped));
}

TEST_F(VmTest, RefusesFirmwareThatIsNotThere) {
  config_.firmware_path = "/nonexistent.fd";
  EXPECT_FALSE(Vm::create(config_, {.kernel = *host_, .serials = {}, .on_event = {}, .host_mrtd = {}}));
}

}  // namespace
}  // namespace virttdx
