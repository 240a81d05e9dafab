// SPDX-License-Identifier: GPL-2.0-or-later
// Every failure here really happens on the software TDX host; the explanation must name what was done wrong.
#include <gmock/gmock.h>

#include "../softhost/kvm/td_fixture.h"
#include "kvm/cpuid_buffer.h"
#include "tdx/capabilities.h"
#include "tdx/td_launch.h"
#include "vmm_backend/tdx_explain.h"

namespace virttdx::softhost {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::StartsWith;

constexpr std::uint64_t kSeptVeDisable = 0x10000000;

class ExplainInitVm : public TdFixture {
 protected:
  ExplainInitVm() {
    config.cpuid = {{0x80000008, 0, false, 48 << 16, 0, 0, 0}};
    capabilities = read_host_capabilities(*host, HostKind::Soft);
  }

  /// Runs INIT_VM, which must fail, and explains it.
  std::vector<TdxCause> explain() {
    const int vm = create_td();
    if (config.tsc_khz != 0) {
      EXPECT_EQ(call(vm, kvm::KVM_SET_TSC_KHZ, config.tsc_khz), 0);
    }
    CpuidBuffer<kvm::kvm_tdx_init_vm> argument(config.cpuid);
    argument.header().attributes = config.attributes;
    argument.header().xfam = config.xfam;
    const int answer = command(vm, kvm::KVM_TDX_INIT_VM, reinterpret_cast<std::uint64_t>(&argument.header()));
    EXPECT_LT(answer, 0);
    return explain_init_vm(config, capabilities, {KvmRequest::TdxInitVm, -answer, last_command.hw_error, {}});
  }
  /// The text for one certain cause of that id.
  std::string explain_as(const char* id) {
    const auto causes = explain();
    if (causes.empty()) return "no cause";
    EXPECT_EQ(causes.front().id, id);
    EXPECT_EQ(causes.front().certainty, TdxCertainty::Certain);
    return causes.front().sentence + "; " + causes.front().remedy;
  }
  /// Bits that this host's CPUID_CONFIG offers in a leaf.
  CpuidEntry configurable(std::uint32_t function, std::uint32_t index) const {
    const CpuidEntry* const entry = find_cpuid(capabilities.configurable_cpuid, function, index);
    EXPECT_NE(entry, nullptr);
    return entry == nullptr ? CpuidEntry{} : *entry;
  }

  TdConfig config;
  HostCapabilities capabilities;
};

TEST_F(ExplainInitVm, I4_CountsTooManyEntries) {
  config.cpuid.resize(257);
  EXPECT_THAT(explain_as("init-vm.too-many-entries"),
              StartsWith("there are 257 CPUID entries; KVM takes 256"));
}

TEST_F(ExplainInitVm, I9_NamesTheAttributeBits) {
  config.attributes = kSeptVeDisable | 1ULL << 30 | 1ULL << 63;
  EXPECT_EQ(explain_as("init-vm.attributes"),
            "ATTRIBUTES 0x8000000050000000 has PKS [bit 30], PERFMON [bit 63], which this host's KVM does "
            "not offer; "
            "KVM offers 0x10000000: SEPT_VE_DISABLE [bit 28]");
}

TEST_F(ExplainInitVm, I10_NamesTheXfamBits) {
  config.xfam = 3 | 1 << 3;
  EXPECT_THAT(explain_as("init-vm.xfam"),
              HasSubstr("XFAM 0xb has reserved [bit 3], which this host does not offer"));
}

TEST_F(ExplainInitVm, I11_MissesTheLeafWithGuestPhysBits) {
  config.cpuid = {};
  EXPECT_THAT(explain_as("init-vm.no-guest-phys-bits"),
              HasSubstr("CPUID 0x80000008 is not among the 0 entries"));
}

TEST_F(ExplainInitVm, I12_TellsTheGuestPhysBits) {
  config.cpuid[0].eax = 46 << 16;
  EXPECT_EQ(explain_as("init-vm.guest-phys-bits"), "CPUID 0x80000008 EAX[23:16] is 46; TDX allows 48 or 52");
}

TEST_F(ExplainInitVm, I14_NamesTheWithheldFeatures) {
  config.cpuid.push_back({7, 0, true, 0, 1U << 11, 1U << 5, 0});
  const auto causes = explain();
  ASSERT_EQ(causes.size(), 2U);
  EXPECT_EQ(causes[0].sentence, "CPUID.07H:EBX.rtm [bit 11] is set, which KVM withholds from TDs");
  EXPECT_EQ(causes[1].sentence, "CPUID.07H:ECX.waitpkg [bit 5] is set, which KVM withholds from TDs");
}

TEST_F(ExplainInitVm, I15_NamesTheLeafThatIsNotConfigurable) {
  config.cpuid.push_back({0x40000001, 0, false, 1, 0, 0, 0});
  EXPECT_EQ(explain_as("init-vm.cpuid-entry"),
            "CPUID 0x40000001 is not configurable on this host's TDX module; leave the entry out");
}

TEST_F(ExplainInitVm, I15_NamesTheSubleafThatIsNotConfigurable) {
  config.cpuid.push_back({7, 9, true, 0, 0, 0, 0});
  EXPECT_THAT(explain_as("init-vm.cpuid-entry"), StartsWith("CPUID 0x7 sub-leaf 0x9 is not configurable"));
}

TEST_F(ExplainInitVm, I15_NamesTheLeafThatIsThereTwice) {
  config.cpuid.push_back(config.cpuid[0]);
  EXPECT_EQ(explain_as("init-vm.cpuid-entry"), "CPUID 0x80000008 is there twice; pass it once");
}

TEST_F(ExplainInitVm, I15_NamesTheEntryWithoutItsIndexFlag) {
  config.cpuid.push_back({4, 0, false, 0, 0, 0, 0});
  EXPECT_THAT(explain_as("init-vm.cpuid-entry"),
              AllOf(StartsWith("CPUID 0x4 lacks KVM_CPUID_FLAG_SIGNIFCANT_INDEX and so stands for"),
                    HasSubstr("set the flag")));
}

TEST_F(ExplainInitVm, I21_NamesTheXfamGroupThatWasSplit) {
  config.xfam = 3 | 1 << 18;
  EXPECT_EQ(explain_as("init-vm.module-xfam"),
            "XFAM 0x40003 has AMX_TILEDATA [bit 18] without AMX_TILECFG [bit 17]; set all of them or none");
}

TEST_F(ExplainInitVm, I21_NamesAvx512WithoutAvx) {
  config.xfam = 3 | 0xE0;
  EXPECT_THAT(explain_as("init-vm.module-xfam"), HasSubstr("HI16_ZMM [bit 7] without AVX [bit 2]"));
}

TEST_F(ExplainInitVm, I21_TellsTheTscFrequency) {
  config.tsc_khz = 50'000;
  EXPECT_EQ(explain_as("init-vm.module-tsc"),
            "the TSC frequency is 50000 kHz; the TDX module takes 100000 to 10000000 kHz");
}

TEST_F(ExplainInitVm, I21_NamesTheCpuidBitsThatAreNotConfigurable) {
  const CpuidEntry offered = configurable(0x80000008, 0);
  config.cpuid[0].ecx = ~offered.ecx & 0x80000000;
  ASSERT_NE(config.cpuid[0].ecx, 0U);
  EXPECT_EQ(explain_as("init-vm.module-cpuid"),
            fmt::format("CPUID 0x80000008 ECX is 0x80000000, of which bits 0x80000000 are not configurable; "
                        "configurable are {:#x}",
                        offered.ecx));
}

TEST_F(ExplainInitVm, I22_NamesTheTopologyLevelThatTheModuleDoesNotTake) {
  config.cpuid.push_back({0x1F, 0, true, 0, 1, 2U << 8, 0});
  EXPECT_THAT(explain_as("init-vm.leaf-1f"),
              StartsWith("CPUID 0x1f sub-leaf 0x0 has level type 2 (ECX[15:8])"));
}

TEST_F(ExplainInitVm, TellsEverythingThatIsWrongInKvmsOrder) {
  config.attributes = 1;
  config.xfam = 8;
  config.cpuid = {{0x80000008, 0, false, 40 << 16, 0, 0, 0}, {2, 0, false, 0, 0, 0, 0}};
  std::vector<std::string> ids;
  for (const auto& cause : explain()) ids.push_back(cause.id);
  EXPECT_THAT(ids, testing::ElementsAre("init-vm.attributes", "init-vm.xfam", "init-vm.guest-phys-bits",
                                        "init-vm.cpuid-entry"));
}

TEST_F(ExplainInitVm, I1_LeavesWhatTheConfigurationCannotExplain) {
  const int vm = initialized_td();
  EXPECT_EQ(init(vm), -EINVAL);
  const auto causes =
      explain_init_vm(config, capabilities, {KvmRequest::TdxInitVm, EINVAL, last_command.hw_error, {}});
  ASSERT_FALSE(causes.empty());
  EXPECT_EQ(causes.front().id, "init-vm.twice");
  for (const auto& cause : causes) EXPECT_NE(cause.id, "init-vm.attributes");
}

TEST_F(ExplainInitVm, IsInTheErrorOfALaunch) {
  const auto layout = memory_layout(64 << 20, 4096);
  ASSERT_TRUE(layout);
  auto kvm = Kvm::open(*host);
  ASSERT_TRUE(kvm);
  const auto message = [&] {
    const auto td = launch_td(*kvm, {config, {0}, *layout, {}, {0}});
    return td ? "launched" : td.error().message();
  };
  EXPECT_THAT(message(),
              StartsWith("KVM_TDX_INIT_VCPU 0: EINVAL because the vCPU's CPUID leaf 1 lacks x2APIC"));
  config.cpuid[0].eax = 46 << 16;
  EXPECT_EQ(message(),
            "KVM_TDX_INIT_VM: EINVAL because CPUID 0x80000008 EAX[23:16] is 46; TDX allows 48 or 52");
  config.cpuid[0].eax = 48 << 16;
  config.xfam = 3 | 1 << 17;
  EXPECT_EQ(message(),
            "KVM_TDX_INIT_VM: EINVAL with TDX_OPERAND_INVALID, operand XFAM (0xc000010000000041) because "
            "XFAM 0x20003 "
            "has AMX_TILECFG [bit 17] without AMX_TILEDATA [bit 18]; set all of them or none");
}

TEST(ExplainInitVmOfAFourLevelHost, I13_SaysThatThereIsNoFiveLevelEpt) {
  HostCapabilities host;
  host.supported_attributes = kSeptVeDisable;
  host.supported_cpuid = {{0x80000008, 0, false, 48 << 16 | 46, 0, 0, 0}};
  TdConfig config;
  config.cpuid = {{0x80000008, 0, false, 52 << 16, 0, 0, 0}};
  const auto causes = explain_init_vm(config, host, {KvmRequest::TdxInitVm, EINVAL, 0, {}});
  ASSERT_EQ(causes.size(), 1U);
  EXPECT_EQ(causes[0].id, "init-vm.five-level-ept");
}

/// What explain_tdx() says of a failure: its ids.
class ExplainOther : public TdFixture {
 protected:
  std::vector<std::string> explain(KvmRequest request, int answer, std::uint64_t hw_error = 0) {
    EXPECT_LT(answer, 0);
    std::vector<std::string> ids;
    for (const auto& cause : explain_tdx({request, -answer, hw_error, {}})) ids.push_back(cause.id);
    return ids;
  }
};

TEST_F(ExplainOther, C_NamesFlagsAndRoom) {
  WithCpuid<kvm::kvm_tdx_capabilities> room(1);
  room.header().cpuid.nent = 1;
  const int vm = create_td();
  EXPECT_THAT(explain(KvmRequest::TdxCapabilities, command(vm, kvm::KVM_TDX_CAPABILITIES, room.address(), 1)),
              Contains("capabilities.flags"));
  EXPECT_THAT(explain(KvmRequest::TdxCapabilities, command(vm, kvm::KVM_TDX_CAPABILITIES, room.address())),
              testing::ElementsAre("capabilities.room"));
  EXPECT_THAT(explain(KvmRequest::TdxCapabilities, command(vm, kvm::KVM_TDX_CAPABILITIES, 0)),
              Contains("capabilities.address"));
}

TEST_F(ExplainOther, TdxCommandOnAnOrdinaryVm) {
  EXPECT_THAT(explain(KvmRequest::TdxCapabilities,
                      command(call(system, kvm::KVM_CREATE_VM, 0), kvm::KVM_TDX_CAPABILITIES)),
              Contains("tdx.not-a-td"));
}

TEST_F(ExplainOther, V_NamesOrderAndX2apic) {
  EXPECT_THAT(explain(KvmRequest::CreateVcpu, call(create_td(), kvm::KVM_CREATE_VCPU, 0)),
              testing::ElementsAre("create-vcpu.state"));
  const int vm = initialized_td();
  const int vcpu = call(vm, kvm::KVM_CREATE_VCPU, 0);
  const int answer = command(vcpu, kvm::KVM_TDX_INIT_VCPU);
  EXPECT_THAT(explain(KvmRequest::TdxInitVcpu, answer), Contains("init-vcpu.x2apic"));
  const auto certain = explain_init_vcpu(TdConfig{}, {KvmRequest::TdxInitVcpu, -answer, 0, {}});
  ASSERT_EQ(certain.size(), 1U);
  EXPECT_EQ(certain[0].certainty, TdxCertainty::Certain);
  EXPECT_EQ(certain[0].id, "init-vcpu.x2apic");
}

TEST_F(ExplainOther, V_RulesOutX2apicThatIsThere) {
  TdConfig config;
  config.vcpu_cpuid = {{1, 0, false, 0, 0, 1U << 21, 0}};
  const auto causes = explain_init_vcpu(config, {KvmRequest::TdxInitVcpu, EINVAL, 0, {}});
  for (const auto& cause : causes) EXPECT_NE(cause.id, "init-vcpu.x2apic");
  EXPECT_FALSE(causes.empty());
}

TEST_F(ExplainOther, M_NamesWhatIsWrongWithPages) {
  const int vm = initialized_td();
  const int vcpu = initialized_vcpu(vm);
  kvm::kvm_tdx_init_mem_region pages{reinterpret_cast<std::uint64_t>(ram), 0, 1};
  EXPECT_THAT(explain(KvmRequest::TdxInitMemRegion, add_pages(vcpu, pages)),
              Contains("init-mem-region.no-slot"));
  EXPECT_THAT(explain(KvmRequest::TdxInitMemRegion, add_pages(vcpu, pages, 2)),
              Contains("init-mem-region.flags"));
  pages.gpa = 1;
  EXPECT_THAT(explain(KvmRequest::TdxInitMemRegion, add_pages(vcpu, pages)),
              Contains("init-mem-region.shape"));
  add_private_ram(vm);
  pages = {8192, 0, 1};
  EXPECT_THAT(explain(KvmRequest::TdxInitMemRegion, add_pages(vcpu, pages)),
              Contains("init-mem-region.source"));
  pages = {reinterpret_cast<std::uint64_t>(ram), 0, 1};
  EXPECT_EQ(add_pages(vcpu, pages), 0);
  pages = {reinterpret_cast<std::uint64_t>(ram), 0, 1};
  EXPECT_THAT(explain(KvmRequest::TdxInitMemRegion, add_pages(vcpu, pages)),
              Contains("init-mem-region.twice"));
}

TEST_F(ExplainOther, F_NamesOrderAndMissingVcpus) {
  EXPECT_THAT(explain(KvmRequest::TdxFinalizeVm, command(create_td(), kvm::KVM_TDX_FINALIZE_VM)),
              Contains("finalize.state"));
  const int vm = initialized_td();
  const int answer = command(vm, kvm::KVM_TDX_FINALIZE_VM);
  EXPECT_THAT(explain(KvmRequest::TdxFinalizeVm, answer, last_command.hw_error),
              testing::ElementsAre("finalize.no-vcpus"));
  // The VM is dead now.
  EXPECT_THAT(explain(KvmRequest::TdxFinalizeVm, command(vm, kvm::KVM_TDX_FINALIZE_VM)),
              Contains("tdx.dead"));
}

TEST_F(ExplainOther, G_NamesRoomAndOrder) {
  const int vm = initialized_td();
  const int vcpu = initialized_vcpu(vm);
  WithCpuid<kvm::kvm_cpuid2> room(1);
  room.header().nent = 1;
  EXPECT_THAT(explain(KvmRequest::TdxGetCpuid, command(vcpu, kvm::KVM_TDX_GET_CPUID, room.address())),
              testing::ElementsAre("get-cpuid.room"));
  EXPECT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), 0);
  EXPECT_THAT(explain(KvmRequest::TdxGetCpuid, command(vcpu, kvm::KVM_TDX_GET_CPUID, room.address())),
              Contains("get-cpuid.state"));
}

}  // namespace
}  // namespace virttdx::softhost
