// SPDX-License-Identifier: GPL-2.0-or-later
// The launch against a recording kernel: order, contents, and every answer that means "again".
#include "tdx/td_launch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "../kvm/fake_kernel.h"
#include "gpa_range.h"
#include "kvm/cpuid_buffer.h"

namespace virttdx::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kSeptVeDisable = 0x10000000;
constexpr std::uint32_t kOfferedLeaves = 20;
constexpr std::uint64_t kPage = 4096;

class TdLaunchTest : public testing::Test {
 protected:
  void SetUp() override {
    kernel_.on_tdx[kvm::KVM_TDX_CAPABILITIES] = [](int, kvm::kvm_tdx_cmd& command) {
      return capabilities(*reinterpret_cast<kvm::kvm_tdx_capabilities*>(command.data));
    };
    kernel_.on_tdx[kvm::KVM_TDX_INIT_VM] = [this](int, kvm::kvm_tdx_cmd& command) {
      const auto& init = *reinterpret_cast<kvm::kvm_tdx_init_vm*>(command.data);
      init_vm_ = init;
      return 0;
    };
    kernel_.on_tdx[kvm::KVM_TDX_INIT_VCPU] = [this](int fd, kvm::kvm_tdx_cmd& command) {
      initialised_.emplace_back(fd, command.data);
      return 0;
    };
    kernel_.on_tdx[kvm::KVM_TDX_INIT_MEM_REGION] = [this](int, kvm::kvm_tdx_cmd& command) {
      return add(command, ~std::uint64_t{0});
    };
    kernel_.on_tdx[kvm::KVM_TDX_GET_CPUID] = [](int, kvm::kvm_tdx_cmd& command) {
      auto& cpuid = *reinterpret_cast<kvm::kvm_cpuid2*>(command.data);
      cpuid.nent = 1;
      const auto entry = to_kvm({1, 0, false, 11, 12, 13, 14});
      std::memcpy(&cpuid + 1, &entry, sizeof(entry));
      return 0;
    };
    config_.cpuid = {{0x80000008, 0, false, 48U << 16, 0, 0, 0}};
    config_.vcpu_cpuid = {
        {1, 0, false, 0, 0x00112233, 1U << 21, 0}, {0xB, 0, true, 0, 0, 0, 99}, {0xB, 1, true, 0, 0, 0, 99}};
    content_.assign(kPage + 1, std::byte{0x5A});
    pages_ = {{test::range(0xFFFFE000, 2 * kPage), true, content_},
              {test::range(0x800000, 3 * kPage), false, {}}};
  }

  static int capabilities(kvm::kvm_tdx_capabilities& capabilities) {
    if (capabilities.cpuid.nent < kOfferedLeaves) return -E2BIG;
    capabilities.supported_attrs = kSeptVeDisable;
    capabilities.supported_xfam = 0x3;
    capabilities.cpuid.nent = kOfferedLeaves;
    const auto entry = to_kvm({0x80000008, 0, false, 0x00FF0000, 0, 0, 0});
    std::memcpy(&capabilities + 1, &entry, sizeof(entry));
    return 0;
  }

  struct AddedPage {
    std::uint64_t gpa;
    bool measured;
    int first_byte;
    bool operator==(const AddedPage&) const = default;
  };

  /// Adds at most `limit` pages and writes back how far it came.
  int add(const kvm::kvm_tdx_cmd& command, std::uint64_t limit) {
    auto& region = *reinterpret_cast<kvm::kvm_tdx_init_mem_region*>(command.data);
    for (; region.nr_pages > 0 && limit > 0;
         --limit, --region.nr_pages, region.gpa += kPage, region.source_addr += kPage)
      added_.push_back({region.gpa, command.flags == kvm::KVM_TDX_MEASURE_MEMORY_REGION,
                        *reinterpret_cast<const std::uint8_t*>(region.source_addr)});
    return region.nr_pages == 0 ? 0 : -EINTR;
  }

  Result<LaunchedTd> launch(std::uint32_t vcpus = 1) {
    auto kvm = Kvm::open(kernel_);
    return launch_td(*kvm, {config_, x2apic_ids({}, vcpus), layout_, pages_, {0x809000}});
  }
  std::string refusal() {
    const auto td = launch();
    return td ? "launched" : td.error().message();
  }

  FakeKernel kernel_;
  TdConfig config_;
  MemoryLayout layout_ = *memory_layout(64ULL << 20, 2 * kPage);
  std::vector<std::byte> content_;
  std::vector<TdPageRange> pages_;
  kvm::kvm_tdx_init_vm init_vm_{};
  std::vector<std::pair<int, std::uint64_t>> initialised_;
  std::vector<AddedPage> added_;
};

TEST_F(TdLaunchTest, IssuesTheRequestsInTheOrderThatKvmTakes) {
  config_.tsc_khz = 1'000'000;
  const auto td = launch();
  ASSERT_TRUE(td) << td.error().message();
  using namespace kvm;
  EXPECT_THAT(kernel_.requests,
              ElementsAre(KVM_GET_API_VERSION, KVM_GET_VCPU_MMAP_SIZE, KVM_CHECK_EXTENSION, KVM_CREATE_VM,
                          KVM_CHECK_EXTENSION, KVM_MEMORY_ENCRYPT_OP, KVM_MEMORY_ENCRYPT_OP, KVM_ENABLE_CAP,
                          KVM_ENABLE_CAP, KVM_ENABLE_CAP, KVM_ENABLE_CAP, KVM_SET_TSC_KHZ,
                          KVM_MEMORY_ENCRYPT_OP,  // INIT_VM
                          KVM_CREATE_GUEST_MEMFD, KVM_SET_USER_MEMORY_REGION2, KVM_SET_MEMORY_ATTRIBUTES,
                          KVM_CREATE_GUEST_MEMFD, KVM_SET_USER_MEMORY_REGION2, KVM_SET_MEMORY_ATTRIBUTES,
                          KVM_CREATE_VCPU, KVM_SET_CPUID2, KVM_MEMORY_ENCRYPT_OP,  // INIT_VCPU
                          KVM_MEMORY_ENCRYPT_OP, KVM_MEMORY_ENCRYPT_OP,            // pages
                          KVM_MEMORY_ENCRYPT_OP, KVM_MEMORY_ENCRYPT_OP));          // GET_CPUID, FINALIZE
  EXPECT_THAT(
      kernel_.tdx_commands,
      ElementsAre(KVM_TDX_CAPABILITIES, KVM_TDX_CAPABILITIES, KVM_TDX_INIT_VM, KVM_TDX_INIT_VCPU,
                  KVM_TDX_INIT_MEM_REGION, KVM_TDX_INIT_MEM_REGION, KVM_TDX_GET_CPUID, KVM_TDX_FINALIZE_VM));
}

TEST_F(TdLaunchTest, EnablesWhatATdNeeds) {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> enabled;
  kernel_.on_ioctl[kvm::KVM_ENABLE_CAP] = [&](int, std::uintptr_t argument) {
    const auto& request = *reinterpret_cast<kvm::kvm_enable_cap*>(argument);
    enabled.emplace_back(request.cap, request.args[0]);
    return 0;
  };
  ASSERT_TRUE(launch());
  EXPECT_THAT(enabled, ElementsAre(std::pair(kvm::KVM_CAP_SPLIT_IRQCHIP, 24U),
                                   std::pair(kvm::KVM_CAP_EXIT_HYPERCALL, 0x1000U),
                                   std::pair(kvm::KVM_CAP_X2APIC_API, 3U),
                                   std::pair(kvm::KVM_CAP_X86_APIC_BUS_CYCLES_NS, 40U)));
}

TEST_F(TdLaunchTest, PassesAttributesXfamAndMeasurementsToInitVm) {
  config_.mr_config_id[0] = std::byte{0xC1};
  config_.mr_owner[1] = std::byte{0xC2};
  config_.mr_owner_config[47] = std::byte{0xC3};
  ASSERT_TRUE(launch());
  EXPECT_EQ(init_vm_.attributes, kSeptVeDisable);
  EXPECT_EQ(init_vm_.xfam, 3U);
  EXPECT_EQ(init_vm_.mrconfigid[0], 0xC1U);
  EXPECT_EQ(init_vm_.mrowner[0], 0xC200U);
  EXPECT_EQ(init_vm_.mrownerconfig[5], 0xC3ULL << 56);
  EXPECT_EQ(init_vm_.cpuid.nent, 1U);
}

TEST_F(TdLaunchTest, AddsPagesInOrderWithContentAndMeasureFlag) {
  ASSERT_TRUE(launch());
  EXPECT_THAT(added_, ElementsAre(AddedPage{0xFFFFE000, true, 0x5A}, AddedPage{0xFFFFF000, true, 0x5A},
                                  AddedPage{0x800000, false, 0}, AddedPage{0x801000, false, 0},
                                  AddedPage{0x802000, false, 0}));
}

TEST_F(TdLaunchTest, ReportsRequestedAndActualCpuid) {
  const auto td = launch();
  ASSERT_TRUE(td);
  EXPECT_EQ(td->cpuid.requested, config_.cpuid);
  EXPECT_THAT(td->cpuid.actual, ElementsAre(CpuidEntry{1, 0, false, 11, 12, 13, 14}));
}

TEST_F(TdLaunchTest, GivesEveryVcpuItsX2apicId) {
  std::vector<CpuidEntries> cpuid;
  kernel_.on_ioctl[kvm::KVM_SET_CPUID2] = [&](int, std::uintptr_t argument) {
    const auto& header = *reinterpret_cast<kvm::kvm_cpuid2*>(argument);
    const auto* entries = reinterpret_cast<const kvm::kvm_cpuid_entry2*>(&header + 1);
    cpuid.emplace_back();
    std::transform(entries, entries + header.nent, std::back_inserter(cpuid.back()), from_kvm);
    return 0;
  };
  ASSERT_TRUE(launch(3));
  ASSERT_EQ(cpuid.size(), 3U);
  EXPECT_EQ(cpuid[2][0].ebx, 0x02112233U);
  EXPECT_EQ(cpuid[2][1].edx, 2U);
  EXPECT_EQ(cpuid[2][2].edx, 2U);
}

TEST_F(TdLaunchTest, StartsEveryVcpuWithTheTdHob) {
  ASSERT_TRUE(launch(2));
  EXPECT_THAT(initialised_, ElementsAre(std::pair(FakeKernel::kFirstVcpuFd, 0x809000U),
                                        std::pair(FakeKernel::kFirstVcpuFd + 1, 0x809000U)));
}

TEST_F(TdLaunchTest, RepeatsInitVmWhileTheHostHasNoEntropy) {
  int tries = 0;
  kernel_.on_tdx[kvm::KVM_TDX_INIT_VM] = [&](int, kvm::kvm_tdx_cmd&) { return ++tries <= 3 ? -EAGAIN : 0; };
  ASSERT_TRUE(launch());
  EXPECT_EQ(tries, 4);
}

TEST_F(TdLaunchTest, GivesUpOnAHostThatNeverHasEntropy) {
  kernel_.on_tdx[kvm::KVM_TDX_INIT_VM] = [](int, kvm::kvm_tdx_cmd&) { return -EAGAIN; };
  const auto td = launch();
  ASSERT_FALSE(td);
  EXPECT_EQ(td.error().system_errno(), EAGAIN);
}

TEST_F(TdLaunchTest, GoesOnWhereAnInterruptedRegionStopped) {
  kernel_.on_tdx[kvm::KVM_TDX_INIT_MEM_REGION] = [this](int, kvm::kvm_tdx_cmd& command) {
    return add(command, 1);
  };
  ASSERT_TRUE(launch());
  EXPECT_THAT(added_, ElementsAre(AddedPage{0xFFFFE000, true, 0x5A}, AddedPage{0xFFFFF000, true, 0x5A},
                                  AddedPage{0x800000, false, 0}, AddedPage{0x801000, false, 0},
                                  AddedPage{0x802000, false, 0}));
}

TEST_F(TdLaunchTest, GivesUpOnARegionWithoutProgress) {
  kernel_.on_tdx[kvm::KVM_TDX_INIT_MEM_REGION] = [](int, kvm::kvm_tdx_cmd&) { return -EAGAIN; };
  EXPECT_THAT(refusal(), HasSubstr("KVM_TDX_INIT_MEM_REGION 0xffffe000: no progress"));
}

TEST_F(TdLaunchTest, GrowsTheBufferOfGetCpuidToTheCountThatKvmNames) {
  std::vector<std::uint32_t> room;
  kernel_.on_tdx[kvm::KVM_TDX_GET_CPUID] = [&](int, kvm::kvm_tdx_cmd& command) {
    auto& cpuid = *reinterpret_cast<kvm::kvm_cpuid2*>(command.data);
    room.push_back(cpuid.nent);
    const bool fits = cpuid.nent >= 77;
    cpuid.nent = 77;
    return fits ? 0 : -E2BIG;
  };
  const auto td = launch();
  ASSERT_TRUE(td);
  EXPECT_THAT(room, ElementsAre(16, 77));
  EXPECT_EQ(td->cpuid.actual.size(), 77U);
}

TEST_F(TdLaunchTest, RepeatsFinalizeWhileTheModuleIsBusy) {
  int tries = 0;
  kernel_.on_tdx[kvm::KVM_TDX_FINALIZE_VM] = [&](int, kvm::kvm_tdx_cmd& command) {
    command.hw_error = 0x8000020000000000;
    return ++tries <= 3 ? -EBUSY : 0;
  };
  ASSERT_TRUE(launch());
  EXPECT_EQ(tries, 4);
}

TEST_F(TdLaunchTest, NamesTheTdxModulesStatus) {
  kernel_.on_tdx[kvm::KVM_TDX_INIT_VM] = [](int, kvm::kvm_tdx_cmd& command) {
    command.hw_error = 0xC000010000000041;
    return -EINVAL;
  };
  EXPECT_THAT(refusal(), HasSubstr("KVM_TDX_INIT_VM: EINVAL with TDX_OPERAND_INVALID, operand XFAM "
                                   "(0xc000010000000041) because the TDX module refused XFAM"));
}

TEST_F(TdLaunchTest, LeavesItToKvmWhatIsWrongWithTheConfiguration) {
  config_.attributes |= 1ULL << 30;
  EXPECT_EQ(refusal(), "launched");
}

TEST_F(TdLaunchTest, TellsWhatInitVmWasGivenWhenNothingInItExplainsTheRefusal) {
  kernel_.on_tdx[kvm::KVM_TDX_INIT_VM] = [](int, kvm::kvm_tdx_cmd&) { return -EINVAL; };
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("KVM_TDX_INIT_VM attributes 0x10000000 XFAM 0x3 with 1 CPUID entries: EINVAL; "
                              "possible causes: (1) the TD is initialised already"),
                    Not(HasSubstr("ATTRIBUTES bit"))));
}

TEST_F(TdLaunchTest, ExplainsEveryStepThatFails) {
  const std::pair<unsigned long, const char*> requests[] = {
      {kvm::KVM_CREATE_VM,
       "KVM_CREATE_VM type 5: Invalid argument because KVM does not offer the VM type TDX"},
      {kvm::KVM_ENABLE_CAP,
       "KVM_CAP_SPLIT_IRQCHIP 0x18: Invalid argument because more than 4096 interrupt routes"},
      {kvm::KVM_SET_TSC_KHZ, "KVM_SET_TSC_KHZ 1000000: Invalid argument because the frequency is above"},
      {kvm::KVM_CREATE_GUEST_MEMFD, "Invalid argument because the size is 0"},
      {kvm::KVM_SET_USER_MEMORY_REGION2, "Invalid argument because a flag is not allowed in a TD"},
      {kvm::KVM_SET_MEMORY_ATTRIBUTES, "Invalid argument because the range is empty"},
      {kvm::KVM_CREATE_VCPU,
       "KVM_CREATE_VCPU 0: Invalid argument; possible causes: (1) the TD's interrupt controller"},
      {kvm::KVM_SET_CPUID2, "Invalid argument because KVM refused the vCPU's CPUID"}};
  config_.tsc_khz = 1'000'000;
  for (const auto& [request, text] : requests) {
    kernel_.on_ioctl[request] = [](int, std::uintptr_t) { return -EINVAL; };
    EXPECT_THAT(refusal(), HasSubstr(text));
    kernel_.on_ioctl.erase(request);
  }
}

TEST_F(TdLaunchTest, ExplainsEveryTdxCommandThatFails) {
  const std::tuple<std::uint32_t, int, const char*> commands[] = {
      {kvm::KVM_TDX_CAPABILITIES, -ENOTTY, "possible causes: (1) the VM is not of type TDX"},
      {kvm::KVM_TDX_INIT_VM, -ENOSPC,
       "KVM_TDX_INIT_VM: ENOSPC because all private key ids of the host are in use"},
      {kvm::KVM_TDX_INIT_VCPU, -ENOMEM, "KVM_TDX_INIT_VCPU 0: ENOMEM because the host is out of memory"},
      {kvm::KVM_TDX_INIT_MEM_REGION, -EIO,
       "KVM_TDX_INIT_MEM_REGION 0xffffe000 with 2 pages left: EIO; possible causes:"},
      {kvm::KVM_TDX_GET_CPUID, -EINVAL,
       "KVM_TDX_GET_CPUID with room for 16 CPUID entries: Invalid argument; possible"},
      {kvm::KVM_TDX_FINALIZE_VM, -EINVAL, "KVM_TDX_FINALIZE_VM: EINVAL; possible causes: (1) the TD is not"}};
  for (const auto& [id, answer, text] : commands) {
    const auto before = kernel_.on_tdx[id];
    kernel_.on_tdx[id] = [answer = answer](int, kvm::kvm_tdx_cmd&) { return answer; };
    EXPECT_THAT(refusal(), HasSubstr(text));
    kernel_.on_tdx[id] = before;
  }
}

TEST_F(TdLaunchTest, NamesTheMissingX2apicOfAVcpu) {
  kernel_.on_tdx[kvm::KVM_TDX_INIT_VCPU] = [](int, kvm::kvm_tdx_cmd&) { return -EINVAL; };
  config_.vcpu_cpuid[0].ecx = 0;
  EXPECT_THAT(refusal(),
              HasSubstr("KVM_TDX_INIT_VCPU 0: EINVAL because the vCPU's CPUID leaf 1 lacks x2APIC"));
}

TEST_F(TdLaunchTest, RefusesMoreVcpusThanTheHostRuns) {
  const auto td = launch(9);
  ASSERT_FALSE(td);
  EXPECT_THAT(td.error().message(), HasSubstr("9 vCPUs: this host runs at most 8"));
}

TEST_F(TdLaunchTest, RefusesAFirmwareSectionOutsideOfMemory) {
  pages_[1].memory = test::range(0x10000000, kPage);
  EXPECT_THAT(refusal(), HasSubstr("firmware section 0x10000000+0x1000 lies outside"));
}

TEST_F(TdLaunchTest, RefusesAHostWithoutTheTdxType) {
  kernel_.extensions[kvm::KVM_CAP_VM_TYPES] = 1;
  EXPECT_THAT(refusal(), HasSubstr("KVM lists no VM type TDX"));
}

TEST_F(TdLaunchTest, LeavesNothingOpenWhenAStepFails) {
  kernel_.on_tdx[kvm::KVM_TDX_FINALIZE_VM] = [](int, kvm::kvm_tdx_cmd&) { return -EIO; };
  EXPECT_THAT(refusal(), HasSubstr("KVM_TDX_FINALIZE_VM"));
  EXPECT_TRUE(kernel_.open_fds.empty());
}

TEST_F(TdLaunchTest, ClosesEverythingWhenTheTdGoes) {
  { ASSERT_TRUE(launch(2)); }
  EXPECT_TRUE(kernel_.open_fds.empty());
}

TEST(HostCapabilitiesTest, SaysThatDevKvmIsMissing) {
  FakeKernel kernel;
  kernel.open_answer = -ENOENT;
  const auto host = read_host_capabilities(kernel, HostKind::Kvm);
  EXPECT_FALSE(host.tdx_supported);
  EXPECT_THAT(host.tdx_unsupported_reason, HasSubstr("/dev/kvm does not exist"));
}

TEST(HostCapabilitiesTest, SaysThatDevKvmIsForbidden) {
  FakeKernel kernel;
  kernel.open_answer = -EACCES;
  EXPECT_THAT(read_host_capabilities(kernel, HostKind::Kvm).tdx_unsupported_reason,
              HasSubstr("member of group kvm"));
}

TEST_F(TdLaunchTest, ReadsWhatTheHostOffers) {
  kernel_.on_ioctl[kvm::KVM_GET_SUPPORTED_CPUID] = [](int, std::uintptr_t argument) {
    auto& cpuid = *reinterpret_cast<kvm::kvm_cpuid2*>(argument);
    cpuid.nent = 1;
    const auto entry = to_kvm({0x80000008, 0, false, 52U << 16 | 52, 0, 0, 0});
    std::memcpy(&cpuid + 1, &entry, sizeof(entry));
    return 0;
  };
  kernel_.on_ioctl[kvm::KVM_GET_TSC_KHZ] = [](int, std::uintptr_t) { return 2'100'000; };
  const auto host = read_host_capabilities(kernel_, HostKind::Kvm);
  EXPECT_TRUE(host.tdx_supported) << host.tdx_unsupported_reason;
  EXPECT_EQ(host.supported_attributes, kSeptVeDisable);
  EXPECT_EQ(host.configurable_cpuid.size(), kOfferedLeaves);
  EXPECT_EQ(host.max_vcpus, 8U);
  EXPECT_EQ(host.tsc_khz, 2'100'000U);
  EXPECT_EQ(host.physical_address_bits, 52U);
  EXPECT_TRUE(host.five_level_ept);
}

}  // namespace
}  // namespace virttdx::test
