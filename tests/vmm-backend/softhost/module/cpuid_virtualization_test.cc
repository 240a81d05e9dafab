// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/module/cpuid_virtualization.h"

#include "module_fixture.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint64_t kAllXfam = 0x602E7 | 0xD900;
// TD_CTLS, and bit numbers of FEATURE_PARAVIRT_CTLS.
constexpr std::uint64_t kEnumTopology = 2, kVirtCpuid2 = 4, kReduceVe = 8;
constexpr unsigned kDca = 1, kMtrr = 4, kTscDeadline = 11;

CpuidValue zeros(std::uint32_t, std::uint32_t) { return {}; }
CpuidValue ones(std::uint32_t, std::uint32_t) { return {~0U, ~0U, ~0U, ~0U}; }

std::array<std::uint32_t, 4> words(const CpuidValue& value) {
  return {value.eax, value.ebx, value.ecx, value.edx};
}

// Values of the table for a native processor and a configuration of all ones or all zeros.
CpuidVirtualization table_of(const TdxModule& module, bool configured) {
  std::array<CpuidValue, tdx::kCpuidConfigCount> config{};
  if (configured) config.fill({~0U, ~0U, ~0U, ~0U});
  CpuidVirtualization table(module);
  table.configure({~(1ULL << 29), ~0ULL, 0, 92}, config);
  return table;
}

// Registers that rules beyond the masks decide, not the masks alone.
bool has_rule_of_its_own(std::uint32_t leaf, std::uint32_t subleaf, std::size_t i) {
  return leaf == 0xB || leaf == 0x1F || leaf == 0x15 || (leaf == 0x80000008 && i == 0) ||
         (leaf == 0xD && subleaf == 0 && i == 2) || (leaf == 1 && i == 0);
}

TEST(CpuidVirtualization, EveryBitFollowsItsClass) {
  const TdxModule none(zeros), every(ones);
  const auto bare = table_of(none, false), native = table_of(every, false), given = table_of(none, true),
             both = table_of(every, true);
  for (const auto& rule : tdx::kCpuidLeaves) {
    const auto subleaf = rule.subleaf == tdx::kNoSubleaf ? 0 : rule.subleaf;
    // Conditions need other leaves' bits.
    if (rule.condition == tdx::LeafCondition::kMonitor ||
        rule.condition == tdx::LeafCondition::kArchPerfmonExt)
      continue;
    for (std::size_t i = 0; i < 4; ++i) {
      if (has_rule_of_its_own(rule.leaf, subleaf, i)) continue;
      const auto& masks = rule.registers[i];
      SCOPED_TRACE(fmt::format("leaf 0x{:x} sub-leaf {} register {}", rule.leaf, subleaf, i));
      const auto decided =
          masks.fixed1 | masks.fixed0 | masks.config_direct | masks.allow_direct | masks.dynamic;
      EXPECT_EQ(words(*bare.value(rule.leaf, subleaf))[i], masks.fixed1);
      EXPECT_EQ(words(*native.value(rule.leaf, subleaf))[i], masks.fixed1 | ~decided);
      EXPECT_EQ(words(*given.value(rule.leaf, subleaf))[i], masks.fixed1 | masks.config_direct);
      EXPECT_EQ(words(*both.value(rule.leaf, subleaf))[i],
                masks.fixed1 | masks.config_direct | masks.allow_direct | ~decided);
    }
  }
}

class CpuidTest : public testing::Test {
 protected:
  void configure(std::uint64_t attributes, std::uint64_t xfam, std::uint64_t config_flags = 4) {
    table_.configure({attributes, xfam, config_flags, 92}, config_);
  }
  std::optional<CpuidValue> ask(std::uint32_t leaf, std::uint32_t subleaf = 0) const {
    return table_.cpuid(leaf, subleaf, context_, vcpu_);
  }

  TdxModule module_{test_native_cpuid};
  CpuidVirtualization table_{module_};
  std::array<CpuidValue, tdx::kCpuidConfigCount> config_{};
  CpuidContext context_;
  CpuidVcpuState vcpu_{3, 5, {}};
};

TEST_F(CpuidTest, NamesTheTdxGuest) {
  configure(0, 7);
  EXPECT_EQ(ask(0)->eax, 0x23U);
  const auto value = *ask(0x21);
  EXPECT_EQ(value.ebx, 0x65746E49U);
  EXPECT_EQ(value.edx, 0x5844546CU);
  EXPECT_EQ(value.ecx, 0x20202020U);
  EXPECT_TRUE(ask(1)->ecx & 1U << 31) << "HYPERVISOR";
}

TEST_F(CpuidTest, CausesVeWhereTheModuleHasNoAnswer) {
  configure(0, 7);
  for (const std::uint32_t leaf :
       {0x40000000U, 0x40000001U, 0x4FFFFFFFU, 2U, 6U, 0xBU, 0x1FU, 0x16U, 0x80000002U})
    EXPECT_FALSE(ask(leaf)) << std::hex << leaf;
  for (const std::uint32_t leaf : {3U, 8U, 0xEU, 0x80000007U}) EXPECT_TRUE(ask(leaf)) << std::hex << leaf;
}

TEST_F(CpuidTest, AnswersLeavesBeyondTheLastAsTheLastBasicOne) {
  configure(1ULL << 63, 7);
  EXPECT_EQ(ask(0x24)->ebx, ask(0x23)->ebx);
  EXPECT_EQ(ask(0x80000009)->ebx, ask(0x23)->ebx);
}

TEST_F(CpuidTest, TopologyLeavesNeedEnumTopology) {
  config_[12] = {1, 2, 0x100, 0};
  config_[13] = {3, 8, 0x201, 0};
  configure(0, 7);
  vcpu_.controls.td_ctls = 2;
  EXPECT_EQ(ask(0x1F, 0)->eax, 1U);
  EXPECT_EQ(ask(0x1F, 0)->edx, 5U);
  EXPECT_EQ(ask(0x1F, 1)->ebx, 8U);
  EXPECT_EQ(ask(0xB, 0)->ebx, 2U);
  EXPECT_EQ(ask(0xB, 1)->eax, 3U);
  EXPECT_EQ(ask(0xB, 1)->ecx, 0x201U);
  EXPECT_EQ(ask(0xB, 2)->ecx, 2U);
  EXPECT_EQ(ask(0xB, 1)->edx, 5U);
}

TEST_F(CpuidTest, LeafTwoNeedsVirtCpuid2) {
  configure(0, 7);
  vcpu_.controls.td_ctls = 4;
  EXPECT_EQ(ask(2)->eax, 0x00FEFF01U);
}

TEST_F(CpuidTest, DynamicBitsFollowTheVcpu) {
  configure(0, 7);
  EXPECT_EQ(ask(1)->ebx >> 24, 3U) << "the vCPU's index, without ENUM_TOPOLOGY";
  vcpu_.controls.td_ctls = kEnumTopology;
  EXPECT_EQ(ask(1)->ebx >> 24, 5U) << "the x2APIC id";
  EXPECT_FALSE(ask(1)->ecx & 1U << 27);
  EXPECT_FALSE(ask(7)->ecx & 1U << 4);
  context_.cr4 = 1U << 18 | 1U << 22;
  EXPECT_TRUE(ask(1)->ecx & 1U << 27) << "OSXSAVE";
  EXPECT_TRUE(ask(7)->ecx & 1U << 4) << "OSPKE";
  EXPECT_TRUE(ask(0x80000001)->edx & 1U << 11) << "SYSCALL in 64-bit mode";
  context_.long_mode = false;
  EXPECT_FALSE(ask(0x80000001)->edx & 1U << 11);
}

constexpr std::uint64_t kReduced = kReduceVe | kEnumTopology | kVirtCpuid2;
// CPUID(1).ECX: EST, TM2, DCA, TSC_DEADLINE; EDX: MCE, MTRR, MCA, ACPI.
constexpr std::uint32_t kEcxFeatures = 1U << 7 | 1U << 8 | 1U << 18 | 1U << 24;
constexpr std::uint32_t kEdxFeatures = 1U << 7 | 1U << 12 | 1U << 14 | 1U << 22;

TEST_F(CpuidTest, ATdThatReducesVeGetsAnAnswerForEveryLeafButTheHypervisors) {
  configure(0, 7);
  vcpu_.controls.td_ctls = kReduced;
  for (const std::uint32_t leaf :
       {2U, 6U, 9U, 0xBU, 0xCU, 0xFU, 0x10U, 0x16U, 0x17U, 0x1BU, 0x1FU, 0x80000002U})
    EXPECT_TRUE(ask(leaf)) << std::hex << leaf;
  EXPECT_FALSE(ask(0x40000000));
  EXPECT_EQ(words(*ask(0x10, 1)), words({}));
  EXPECT_EQ(ask(0x1F, 9)->ecx, 9U);
  EXPECT_EQ(ask(0x1F, 9)->edx, 5U);
}

TEST_F(CpuidTest, ATdThatReducesVeHasTheFeaturesThatItHandles) {
  config_[0] = {0, 0, kEcxFeatures, kEdxFeatures};
  configure(0, 7);
  EXPECT_EQ(ask(1)->ecx & kEcxFeatures, kEcxFeatures);
  EXPECT_EQ(ask(1)->edx & kEdxFeatures, kEdxFeatures);
  vcpu_.controls.td_ctls = kReduced;
  EXPECT_EQ(ask(1)->ecx & kEcxFeatures, 0U);
  EXPECT_EQ(ask(1)->edx & kEdxFeatures, 0U);
  EXPECT_TRUE(ask(9));
  vcpu_.controls.feature_paravirt_ctls = 1U << kTscDeadline | 1U << kMtrr | 1U << kDca;
  EXPECT_EQ(ask(1)->ecx & kEcxFeatures, 1U << 18 | 1U << 24);
  EXPECT_EQ(ask(1)->edx & kEdxFeatures, 1U << 12);
  EXPECT_FALSE(ask(9)) << "it handles DCA, of which leaf 9 tells";
}

TEST_F(CpuidTest, MachineChecksAndMtrrsAreAlwaysThereWithoutReducedVe) {
  configure(0, 7);
  EXPECT_EQ(ask(1)->edx & kEdxFeatures, 1U << 7 | 1U << 12 | 1U << 14);
  EXPECT_TRUE(ask(7)->edx & 1U << 30) << "IA32_CORE_CAPABILITIES";
}

TEST_F(CpuidTest, ATdThatReducesVeSeesTheProcessorsCaches) {
  config_[1] = {0x1C000121, 0, 63, 0};
  configure(0, 7);
  EXPECT_EQ(ask(4)->ecx, 63U);
  vcpu_.controls.td_ctls = kReduced;
  EXPECT_EQ(ask(4)->eax, 0x1C000000U | (0x11111111U & 0x3FFF));
  EXPECT_EQ(ask(4)->ecx, 0x33333333U);
}

TEST_F(CpuidTest, XsaveSizesFollowXfamXcr0AndXss) {
  configure(0, kAllXfam);
  EXPECT_EQ(ask(0xD, 0)->ecx, 2816U + 8192);
  EXPECT_EQ(ask(0xD, 0)->ebx, 576U);
  context_.xcr0 = 7;
  EXPECT_EQ(ask(0xD, 0)->ebx, 832U);
  context_.xss = 0x1800;
  EXPECT_EQ(ask(0xD, 1)->ebx, 576U + 256 + 16 + 24);
  context_.xcr0 = 0x60007;
  context_.xss = 0x800;
  EXPECT_EQ(ask(0xD, 1)->ebx, 896U + 64 + 8192) << "TILECFG starts at a multiple of 64";
}

TEST_F(CpuidTest, FeaturesGoWithTheirXfamAndAttributeBits) {
  configure(0, 3);
  EXPECT_EQ(ask(7)->ebx & 1U << 5, 0U) << "AVX2";
  EXPECT_EQ(ask(7)->ecx & 1U << 31, 0U) << "PKS";
  EXPECT_EQ(ask(0xD, 0)->eax, 3U);
  EXPECT_EQ(ask(0xD, 1)->ecx, 0U);
  EXPECT_EQ(ask(0xD, 2)->eax, 0U);
  EXPECT_EQ(ask(0xA)->eax, 0U) << "no PERFMON";
  configure(1ULL << 30 | 1ULL << 63, kAllXfam);
  EXPECT_NE(ask(7)->ebx & 1U << 5, 0U);
  EXPECT_NE(ask(7)->ecx & 1U << 31, 0U);
  EXPECT_EQ(ask(0xD, 0)->eax, 0x602E7U);
  EXPECT_EQ(ask(0xD, 1)->ecx, 0xD900U);
  EXPECT_EQ(ask(0xD, 2)->eax, 256U);
  EXPECT_NE(ask(0xA)->eax, 0U);
}

TEST_F(CpuidTest, TscFrequencyIsInLeaf15) {
  configure(0, 7);
  const auto value = *ask(0x15);
  EXPECT_EQ(value.eax, 1U);
  EXPECT_EQ(value.ebx, 92U);
  EXPECT_EQ(value.ecx, 25000000U);
}

TEST_F(CpuidTest, AddressSizesFollowTheConfiguration) {
  configure(0, 7);
  EXPECT_EQ(ask(0x80000008)->eax, 48U << 8 | 52);
  config_[5].ecx = 1U << 16;  // LA57
  config_[9].eax = 46;
  configure(0, 7, 4 | 8 | 16);
  EXPECT_EQ(ask(0x80000008)->eax, 46U << 16 | 57U << 8 | 46);
}

TEST_F(CpuidTest, SignatureIsTheProcessorsUnlessGiven) {
  configure(0, 7);
  EXPECT_EQ(ask(1)->eax, 0x806F8U);
  config_[0].eax = 0x000C06F2;
  configure(0, 7);
  EXPECT_EQ(ask(1)->eax, 0x000C06F2U);
}

TEST_F(CpuidTest, ListsTheTwentyEightConfigurableLeavesInTheModulesOrder) {
  const auto& list = module_.cpuid_config_table();
  ASSERT_EQ(list.size(), 28U);
  EXPECT_EQ(list[0].leaf, 1U);
  EXPECT_EQ(list[0].configurable.ecx, 0x31044D88U);
  EXPECT_EQ(list[5].configurable.ebx, 0xDC2B9B18U);
  EXPECT_EQ(list[9].leaf, 0x80000008U);
  EXPECT_EQ(list[27].leaf, 0x18U);
  EXPECT_EQ(list[27].subleaf, 8U);
}

TEST_F(CpuidTest, ValuesListEveryLeafOfTheTableOnce) {
  configure(0, 7);
  const auto values = table_.values();
  ASSERT_EQ(values.size(), 79U);
  const auto* leaf = find_cpuid(values, 0x21, 0);
  ASSERT_NE(leaf, nullptr);
  EXPECT_TRUE(leaf->index_significant);
  EXPECT_EQ(leaf->ebx, 0x65746E49U);
}

}  // namespace
}  // namespace virttdx::softhost
