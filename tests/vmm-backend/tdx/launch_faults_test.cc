// SPDX-License-Identifier: GPL-2.0-or-later
// Every step of the launch against a host that fails there on demand: it recovers or fails cleanly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "softhost/soft_host.h"
#include "tdx/td_launch.h"

namespace virttdx {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kOperandBusy = 0x8000020000000000, kNoVcpus = 0xC000060900000000;

/// A launch with 1000 measured pages and 10 that are not, against a software host with faults.
class LaunchFaults : public testing::Test {
 protected:
  static constexpr std::uint64_t kMeasuredPages = 1000, kOtherPages = 10;

  LaunchFaults() : content_(kMeasuredPages * kPageSize, std::byte{0x5A}) {
    config_.cpuid = {{0x80000008, 0, false, 48U << 16, 0, 0, 0}};
    config_.vcpu_cpuid = {{1, 0, false, 0, 0, 1U << 21, 0}};
    pages_ = {{*GpaRange::create({0x1000000}, kMeasuredPages * kPageSize), true, content_},
              {*GpaRange::create({0x800000}, kOtherPages * kPageSize), false, {}}};
  }

  void use(std::vector<SoftFault> faults) { host_ = softhost::create_soft_host(std::move(faults)); }

  Result<LaunchedTd> launch() {
    Kvm kvm = TRY(Kvm::open(*host_));
    return launch_td(kvm, {config_, {0, 1}, layout_, pages_, {0x809000}});
  }
  /// What it says, or "launched".
  std::string outcome() {
    const auto td = launch();
    return td ? "launched" : td.error().message();
  }
  static std::ptrdiff_t open_files() {
    const std::filesystem::directory_iterator files("/proc/self/fd");
    return std::distance(begin(files), end(files));
  }

  TdConfig config_;
  MemoryLayout layout_ = *memory_layout(64ULL << 20, 2 * kPageSize);
  std::vector<std::byte> content_;
  std::vector<TdPageRange> pages_;
  std::unique_ptr<softhost::SoftHost> host_;
};

TEST_F(LaunchFaults, RecoversFromNoEntropyThreeTimes) {
  use({{.at = FaultPoint::TdxInitVm, .count = 3, .error = FaultErrno::Eagain}});
  EXPECT_EQ(outcome(), "launched");
}

TEST_F(LaunchFaults, RecoversFromABusyFinalize) {
  use({{.at = FaultPoint::TdxFinalizeVm, .count = 3, .error = FaultErrno::Ebusy, .hw_error = kOperandBusy}});
  EXPECT_EQ(outcome(), "launched");
}

TEST_F(LaunchFaults, GoesOnAfterInterruptionsInTheMiddleOfARegion) {
  std::vector<SoftFault> faults;
  for (const std::uint32_t page : {1U, 2U, 500U, 1005U})
    faults.push_back(
        {.at = FaultPoint::TdxInitMemRegionPage, .first = page, .count = 2, .error = FaultErrno::Eintr});
  use(faults);
  const auto td = launch();
  ASSERT_TRUE(td) << td.error().message();
  // Each page once and in order: else MRTD would be another.
  EXPECT_EQ(host_->mrtd(td->vm->fd()), *predict_mrtd(pages_));
}

TEST_F(LaunchFaults, TellsWhichPageFailed) {
  use({{.at = FaultPoint::TdxInitMemRegionPage, .first = 700, .error = FaultErrno::Eio, .kills_vm = true}});
  EXPECT_THAT(outcome(), HasSubstr("KVM_TDX_INIT_MEM_REGION 0x12bb000 with 301 pages left"));
}

struct Fatal {
  FaultPoint at;
  FaultErrno error;
  const char* named;  ///< in the message
  std::uint64_t hw_error = 0;
};

class FatalFault : public LaunchFaults, public testing::WithParamInterface<Fatal> {};

// Nothing of the half-made TD stays: the same host launches the same TD right afterwards.
TEST_P(FatalFault, EndsTheLaunchCleanly) {
  const Fatal& fatal = GetParam();
  // The last arrival of a launch, so that as much as possible has to be undone.
  const std::uint32_t last =
      fatal.at == FaultPoint::CreateVcpu || fatal.at == FaultPoint::SetCpuid2 ||
              fatal.at == FaultPoint::TdxInitVcpu || fatal.at == FaultPoint::CreateGuestMemfd ||
              fatal.at == FaultPoint::SetUserMemoryRegion2 || fatal.at == FaultPoint::SetMemoryAttributes
          ? 2
          : 1;
  use({{.at = fatal.at, .first = last, .error = fatal.error, .hw_error = fatal.hw_error}});
  const auto files = open_files();
  const std::string message = outcome();
  EXPECT_THAT(message, HasSubstr(fatal.named));
  EXPECT_EQ(open_files(), files);
  EXPECT_EQ(outcome(), "launched");
}

INSTANTIATE_TEST_SUITE_P(
    Steps, FatalFault,
    testing::Values(Fatal{FaultPoint::CreateVm, FaultErrno::Enomem, "KVM_CREATE_VM"},
                    Fatal{FaultPoint::TdxCapabilities, FaultErrno::Eio, "KVM_TDX_CAPABILITIES"},
                    Fatal{FaultPoint::EnableCap, FaultErrno::Einval, "KVM_CAP_SPLIT_IRQCHIP"},
                    Fatal{FaultPoint::TdxInitVm, FaultErrno::Enospc, "KVM_TDX_INIT_VM"},
                    Fatal{FaultPoint::TdxInitVm, FaultErrno::Ebusy, "KVM_TDX_INIT_VM"},
                    Fatal{FaultPoint::TdxInitVm, FaultErrno::Eio, "KVM_TDX_INIT_VM"},
                    Fatal{FaultPoint::CreateGuestMemfd, FaultErrno::Enomem, "KVM_CREATE_GUEST_MEMFD"},
                    Fatal{FaultPoint::SetUserMemoryRegion2, FaultErrno::Enomem,
                          "KVM_SET_USER_MEMORY_REGION2"},
                    Fatal{FaultPoint::SetMemoryAttributes, FaultErrno::Enomem, "KVM_SET_MEMORY_ATTRIBUTES"},
                    Fatal{FaultPoint::CreateVcpu, FaultErrno::Emfile, "KVM_CREATE_VCPU 1"},
                    Fatal{FaultPoint::SetCpuid2, FaultErrno::Einval, "KVM_SET_CPUID2"},
                    Fatal{FaultPoint::TdxInitVcpu, FaultErrno::Eio, "KVM_TDX_INIT_VCPU 1"},
                    Fatal{FaultPoint::TdxInitMemRegion, FaultErrno::Enomem, "KVM_TDX_INIT_MEM_REGION"},
                    Fatal{FaultPoint::TdxGetCpuid, FaultErrno::Eio, "KVM_TDX_GET_CPUID"},
                    Fatal{FaultPoint::TdxFinalizeVm, FaultErrno::Eio, "KVM_TDX_FINALIZE_VM", kNoVcpus}),
    [](const auto& fatal) {
      std::string name =
          std::string(fatal.param.named) + "_" + std::to_string(static_cast<int>(fatal.param.error));
      std::replace(name.begin(), name.end(), ' ', '_');
      return name;
    });

}  // namespace
}  // namespace virttdx
