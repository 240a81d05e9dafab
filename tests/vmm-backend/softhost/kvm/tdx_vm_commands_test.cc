// SPDX-License-Identifier: GPL-2.0-or-later
// KVM_TDX_CAPABILITIES (C), KVM_TDX_INIT_VM (I) and KVM_TDX_FINALIZE_VM (F): one test a rule, in the order of
// KVM's checks.
#include "td_fixture.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint32_t kConfigurableLeaves = 28;

class TdxCommand : public TdFixture {};
class Capabilities : public TdFixture {
 protected:
  WithCpuid<kvm::kvm_tdx_capabilities> room{kConfigurableLeaves};
  int read(std::uint32_t nent, std::uint32_t flags = 0) {
    room.header().cpuid.nent = nent;
    return command(create_td(), kvm::KVM_TDX_CAPABILITIES, room.address(), flags);
  }
};
class InitVm : public TdFixture {
 protected:
  template <typename Change>
  int init_with(Change change) {
    auto argument = init_argument();
    change(argument);
    return init(create_td(), argument);
  }
};
class FinalizeVm : public TdFixture {};

TEST_F(TdxCommand, RefusesAHwErrorOnTheWayIn) {
  kvm::kvm_tdx_cmd request{.id = kvm::KVM_TDX_FINALIZE_VM, .flags = 0, .data = 0, .hw_error = 1};
  EXPECT_EQ(call_with(create_td(), kvm::KVM_MEMORY_ENCRYPT_OP, request), -EINVAL);
}

TEST_F(TdxCommand, RefusesACommandThatCannotBeRead) {
  EXPECT_EQ(call(create_td(), kvm::KVM_MEMORY_ENCRYPT_OP, 8), -EFAULT);
}

// Also where the command itself has failed: it is copied back all the same.
TEST_F(TdxCommand, TellsWhenItsAnswerCannotBeWritten) {
  void* const page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  new (page) kvm::kvm_tdx_cmd{.id = kvm::KVM_TDX_INIT_VM, .flags = 1, .data = 0, .hw_error = 0};
  ASSERT_EQ(::mprotect(page, 4096, PROT_READ), 0);
  EXPECT_EQ(call(create_td(), kvm::KVM_MEMORY_ENCRYPT_OP, reinterpret_cast<std::uintptr_t>(page)), -EFAULT);
  ::munmap(page, 4096);
}

TEST_F(TdxCommand, RefusesUnknownAndVcpuCommandsOnTheVm) {
  for (const std::uint32_t id : {2U, 3U, 5U, 6U}) EXPECT_EQ(command(create_td(), id), -EINVAL) << id;
}

TEST_F(TdxCommand, IsUnknownToAnOrdinaryVm) {
  EXPECT_EQ(command(call(system, kvm::KVM_CREATE_VM, 0), kvm::KVM_TDX_CAPABILITIES), -ENOTTY);
}

TEST_F(Capabilities, C1_RefusesFlags) { EXPECT_EQ(read(kConfigurableLeaves, 1), -EINVAL); }

TEST_F(Capabilities, C2_RefusesAnUnreadableCount) {
  EXPECT_EQ(command(create_td(), kvm::KVM_TDX_CAPABILITIES, 0), -EFAULT);
}

TEST_F(Capabilities, C3_TooLittleRoomIsE2bigWithoutAHint) {
  EXPECT_EQ(read(kConfigurableLeaves - 1), -E2BIG);
  EXPECT_EQ(room.header().cpuid.nent, kConfigurableLeaves - 1);
  EXPECT_EQ(room.header().supported_attrs, 0U);
}

TEST_F(Capabilities, C4_RefusesAResultThatCannotBeWritten) {
  const std::size_t size =
      sizeof(kvm::kvm_tdx_capabilities) + kConfigurableLeaves * sizeof(kvm::kvm_cpuid_entry2);
  void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  static_cast<kvm::kvm_tdx_capabilities*>(memory)->cpuid.nent = kConfigurableLeaves;
  ASSERT_EQ(mprotect(memory, size, PROT_READ), 0);
  EXPECT_EQ(command(create_td(), kvm::KVM_TDX_CAPABILITIES, reinterpret_cast<std::uint64_t>(memory)),
            -EFAULT);
  munmap(memory, size);
}

/// A processor without XSAVE: there is no XFAM that a TD could have.
class HostWithoutXsave : public TdFixture {
 protected:
  static CpuidValue cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
    return leaf == 0xD ? CpuidValue{} : every_feature_cpuid(leaf, subleaf);
  }
  HostWithoutXsave() : TdFixture(Processor{cpuid, {}}) {}
};

TEST_F(HostWithoutXsave, C5_HasNothingToOffer) {
  WithCpuid<kvm::kvm_tdx_capabilities> room(kConfigurableLeaves);
  room.header().cpuid.nent = kConfigurableLeaves;
  EXPECT_EQ(command(create_td(), kvm::KVM_TDX_CAPABILITIES, room.address()), -EIO);
  EXPECT_EQ(room.header().supported_attrs, 0U);
}

TEST_F(Capabilities, C6_ListsWhatKvmLetsThrough) {
  ASSERT_EQ(read(kConfigurableLeaves), 0);
  EXPECT_EQ(room.header().supported_attrs, 0x10000000U);
  EXPECT_EQ(room.header().supported_xfam & 3, 3U);
  EXPECT_EQ(room.header().supported_xfam & ~0x6DBE7ULL, 0U);
  EXPECT_EQ(room.header().user_tdvmcallinfo_1_r11, 2U);
  EXPECT_EQ(room.header().cpuid.nent, kConfigurableLeaves);
  for (std::size_t i = 0; i < kConfigurableLeaves; ++i) {
    const auto& entry = room.entry(i);
    EXPECT_EQ(entry.flags, 0U);
    EXPECT_NE(entry.index, 0xFFFFFFFF);
    if (entry.function == 0x80000008) {
      EXPECT_EQ(entry.eax >> 16 & 0xFF, 0xFFU);
    }
    if (entry.function != 7 || entry.index != 0) continue;
    EXPECT_EQ(entry.ebx & (1U << 4 | 1U << 11), 0U);
    EXPECT_EQ(entry.ecx & 1U << 5, 0U);
  }
}

TEST_F(InitVm, I1_OnlyOnce) {
  const int vm = initialized_td();
  EXPECT_EQ(init(vm), -EINVAL);
}

TEST_F(InitVm, I2_RefusesFlags) {
  auto argument = init_argument();
  EXPECT_EQ(command(create_td(), kvm::KVM_TDX_INIT_VM, argument.address(), 1), -EINVAL);
}

TEST_F(InitVm, I3_RefusesAnUnreadableArgument) {
  EXPECT_EQ(command(create_td(), kvm::KVM_TDX_INIT_VM, 0), -EFAULT);
}

TEST_F(InitVm, I4_RefusesMoreThan256Entries) {
  EXPECT_EQ(init_with([](auto& a) { a.header().cpuid.nent = 257; }), -E2BIG);
}

TEST_F(InitVm, I6_RefusesReservedFields) {
  EXPECT_EQ(init_with([](auto& a) { a.header().reserved[11] = 1; }), -EINVAL);
}

TEST_F(InitVm, I7_RefusesPaddingOfTheCpuidList) {
  EXPECT_EQ(init_with([](auto& a) { a.header().cpuid.padding = 1; }), -EINVAL);
}

TEST_F(InitVm, I8_NoVcpuCanComeBeforeIt) {
  const int vm = create_td();
  ASSERT_EQ(enable(vm, kvm::KVM_CAP_SPLIT_IRQCHIP, 24), 0);
  EXPECT_EQ(call(vm, kvm::KVM_CREATE_VCPU, 0), -EIO);
  EXPECT_EQ(init(vm), 0);
}

TEST_F(InitVm, I9_RefusesAttributesOtherThanSeptVeDisable) {
  EXPECT_EQ(init_with([](auto& a) { a.header().attributes |= 1; }), -EINVAL);
  EXPECT_EQ(init_with([](auto& a) { a.header().attributes |= 1ULL << 63; }), -EINVAL);
}

TEST_F(InitVm, I10_RefusesXfamThatTheHostLacks) {
  EXPECT_EQ(init_with([](auto& a) { a.header().xfam |= 1ULL << 3; }), -EINVAL);
}

TEST_F(InitVm, I11_NeedsTheLeafWithGuestPhysBits) {
  EXPECT_EQ(init_with([](auto& a) { a.entry(0).function = 0x80000007; }), -EINVAL);
}

TEST_F(InitVm, I12_RefusesGuestPhysBitsOtherThan48And52) {
  EXPECT_EQ(init_with([](auto& a) { a.entry(0).eax = 46 << 16; }), -EINVAL);
  EXPECT_EQ(init_with([](auto& a) { a.entry(0).eax = 0; }), -EINVAL);
  EXPECT_EQ(init_with([](auto& a) { a.entry(0).eax = 52 << 16; }), 0);
}

/// A processor with 46 physical address bits: its EPT has four levels.
class FourLevelHost : public TdFixture {
 protected:
  static CpuidValue cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
    CpuidValue value = every_feature_cpuid(leaf, subleaf);
    if (leaf == 0x80000008) value.eax = 0x302E;
    return value;
  }
  FourLevelHost() : TdFixture(Processor{cpuid, {}}) {}
};

TEST_F(FourLevelHost, I13_Refuses52GuestPhysBits) {
  auto argument = init_argument();
  argument.entry(0).eax = 52 << 16;
  EXPECT_EQ(init(create_td(), argument), -EINVAL);
  EXPECT_EQ(init(create_td()), 0);
}

TEST_F(InitVm, I14_RefusesFeaturesThatKvmWithholds) {
  WithCpuid<kvm::kvm_tdx_init_vm> argument(2);
  argument.header() = init_argument().header();
  argument.header().cpuid.nent = 2;
  argument.entry(0) = init_argument().entry(0);
  argument.entry(1).function = 7;
  argument.entry(1).ebx = 1 << 11;
  EXPECT_EQ(init(create_td(), argument), -EINVAL);
}

TEST_F(InitVm, I15_RefusesLeavesThatCannotBeConfigured) {
  WithCpuid<kvm::kvm_tdx_init_vm> argument(2);
  argument.header() = init_argument().header();
  argument.header().cpuid.nent = 2;
  argument.entry(0) = init_argument().entry(0);
  argument.entry(1).function = 0x40000000;
  EXPECT_EQ(init(create_td(), argument), -EINVAL);
  argument.entry(1) = argument.entry(0);  // twice the same
  EXPECT_EQ(init(create_td(), argument), -EINVAL);
}

TEST_F(InitVm, I5_RefusesAnArgumentThatEndsTooEarly) {
  // The count is on the last page that can be read, the entries are not.
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  void* const pages = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  ASSERT_EQ(munmap(static_cast<std::byte*>(pages) + page, page), 0);
  const std::uint64_t address = reinterpret_cast<std::uint64_t>(pages) + page - sizeof(kvm::kvm_tdx_init_vm);
  reinterpret_cast<kvm::kvm_tdx_init_vm*>(address)->cpuid.nent = 2;
  EXPECT_EQ(command(create_td(), kvm::KVM_TDX_INIT_VM, address), -EFAULT);
  munmap(pages, page);
}

TEST_F(InitVm, I16_TellsWhenNoKeyIdIsFree) {
  std::vector<int> vms;
  for (int i = 0; i < 63; ++i) {
    vms.push_back(create_td());
    ASSERT_EQ(init(vms.back()), 0) << i;
  }
  const int vm = create_td();
  EXPECT_EQ(init(vm), -ENOSPC);
  host->close(vms.back());
  EXPECT_EQ(init(vm), 0);
}

/// The process's cgroup may have two TDs, of the host's 63.
class HostWithLimitedCgroup : public TdFixture {
 protected:
  HostWithLimitedCgroup()
      : TdFixture(Processor{.cpuid = every_feature_cpuid, .create_engine = {}, .key_id_limit = 2}) {}
};

TEST_F(HostWithLimitedCgroup, I17_TellsWhenTheCgroupMayHaveNoMore) {
  const int first = create_td();
  EXPECT_EQ(init(first), 0);
  EXPECT_EQ(init(create_td()), 0);
  const int third = create_td();
  EXPECT_EQ(init(third), -EBUSY);
  EXPECT_EQ(last_command.hw_error, 0U);
  host->close(first);
  EXPECT_EQ(init(third), 0);
}

class HostWithOfflinePackage : public TdFixture {
 protected:
  HostWithOfflinePackage()
      : TdFixture(
            Processor{.cpuid = every_feature_cpuid, .create_engine = {}, .every_package_online = false}) {}
};

TEST_F(HostWithOfflinePackage, I18_CannotConfigureTheKeyAndTheVmLivesOn) {
  const int vm = create_td();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(init(vm), -EIO);  // none keeps its key id
  EXPECT_EQ(last_command.hw_error, 0U);
  EXPECT_EQ(call(vm, kvm::KVM_CHECK_EXTENSION, kvm::KVM_CAP_SPLIT_IRQCHIP), 1);
}

TEST_F(InitVm, AFailedInitVmGivesItsKeyIdBack) {
  auto refused = init_argument();
  refused.header().xfam = 3 | 1 << 5;  // AVX-512 opmask alone
  for (int i = 0; i < 100; ++i) ASSERT_EQ(init(create_td(), refused), -EINVAL);
  EXPECT_EQ(init(create_td()), 0);
}

TEST_F(InitVm, I21_TellsTheModulesStatusOfARefusal) {
  // XFAM bit 18 without bit 17 passes KVM's mask and fails in the module.
  const int vm = create_td();
  auto argument = init_argument();
  argument.header().xfam = 3 | 1ULL << 18;
  EXPECT_EQ(init(vm, argument), -EINVAL);
  EXPECT_EQ(last_command.hw_error, 0xC000010000000041);
  argument.header().xfam = 3;
  EXPECT_EQ(init(vm, argument), 0);  // may be tried again
}

TEST_F(InitVm, I21_RefusesATscFrequencyOutsideOfTheModulesRange) {
  const int vm = create_td();
  ASSERT_EQ(call(vm, kvm::KVM_SET_TSC_KHZ, 50'000), 0);
  EXPECT_EQ(init(vm), -EINVAL);
  EXPECT_EQ(last_command.hw_error, 0xC000010000000046);
}

TEST_F(InitVm, I22_ATopologyThatTheModuleDoesNotKnowKillsTheVm) {
  const int vm = create_td();
  WithCpuid<kvm::kvm_tdx_init_vm> argument(2);
  argument.header() = init_argument().header();
  argument.header().cpuid.nent = 2;
  argument.entry(0) = init_argument().entry(0);
  argument.entry(1).function = 0x1F;
  argument.entry(1).flags = kvm::KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
  argument.entry(1).ebx = 1;
  argument.entry(1).ecx = 2 << 8;  // cores where threads come first
  EXPECT_EQ(init(vm, argument), -EIO);
  EXPECT_EQ(last_command.hw_error, 0U);
  EXPECT_EQ(call(vm, kvm::KVM_CHECK_EXTENSION, 0), -EIO);
}

TEST_F(InitVm, I23_MissingFixedBitsAreSupplied) {
  EXPECT_EQ(init_with([](auto& a) { a.header().xfam = 0; }), 0);
}

TEST_F(FinalizeVm, F1_NotBeforeInitVmAndNotTwice) {
  EXPECT_EQ(command(create_td(), kvm::KVM_TDX_FINALIZE_VM), -EINVAL);
  const int vm = initialized_td();
  initialized_vcpu(vm);
  EXPECT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), 0);
  EXPECT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), -EINVAL);
}

TEST_F(FinalizeVm, F2_IgnoresFlagsAndData) {
  const int vm = initialized_td();
  initialized_vcpu(vm);
  EXPECT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM, 7, 7), 0);
}

TEST_F(FinalizeVm, F4_WithoutVcpuKillsTheVm) {
  const int vm = initialized_td();
  EXPECT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), -EIO);
  EXPECT_EQ(last_command.hw_error, 0xC000060900000000);
  EXPECT_EQ(call(vm, kvm::KVM_CHECK_EXTENSION, 0), -EIO);
}

TEST_F(FinalizeVm, F5_MakesTheMeasurementKnown) {
  const int vm = initialized_td();
  initialized_vcpu(vm);
  EXPECT_FALSE(host->mrtd(vm).has_value());
  EXPECT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), 0);
  EXPECT_TRUE(host->mrtd(vm).has_value());
}

}  // namespace
}  // namespace virttdx::softhost
