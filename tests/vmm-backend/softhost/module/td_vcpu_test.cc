// SPDX-License-Identifier: GPL-2.0-or-later
// MSR and control register accesses of a TD.
#include "softhost/module/td_vcpu.h"

#include "module_fixture.h"

namespace virttdx::softhost {
namespace {

struct MsrRow {
  const char* name;
  std::uint32_t index;
  Outcome read;
  Outcome write;
};

class Msr : public TdTest, public testing::WithParamInterface<MsrRow> {};

TEST_P(Msr, FollowsTheTableForKvmsTd) {
  run(kvm_parameters());
  std::uint64_t value = 0;
  EXPECT_EQ(vcpu_->read_msr(GetParam().index, value), GetParam().read);
  EXPECT_EQ(vcpu_->write_msr(GetParam().index, 0), GetParam().write);
}

constexpr auto kNative = Outcome::Native, kDone = Outcome::Continue, kGp = Outcome::GeneralProtection,
               kVe = Outcome::Ve;
constexpr MsrRow kMsrRows[] = {
    {"Tsc", 0x10, kNative, kVe},
    {"ApicBase", 0x1B, kVe, kVe},
    {"FeatureControl", 0x3A, kVe, kVe},
    {"SpecCtrl", 0x48, kDone, kDone},
    {"PredCmd", 0x49, kGp, kDone},
    {"SmmMonitorCtl", 0x9B, kGp, kGp},
    {"XapicDisableStatus", 0xBD, kDone, kGp},
    {"Pmc0", 0xC1, kGp, kGp},
    {"UmwaitControl", 0xE1, kGp, kGp},
    {"MtrrCap", 0xFE, kVe, kVe},
    {"ArchCapabilities", 0x10A, kDone, kGp},
    {"SysenterEip", 0x176, kNative, kNative},
    {"MiscEnable", 0x1A0, kDone, kVe},
    {"DcaWithoutTheFeature", 0x1F8, kGp, kGp},
    {"Pat", 0x277, kDone, kDone},
    {"MtrrDefType", 0x2FF, kVe, kVe},
    {"VmxBasic", 0x480, kGp, kGp},
    {"VmxPinbased", 0x481, kVe, kGp},
    {"TscDeadlineWithoutTheFeature", 0x6E0, kGp, kGp},
    {"X2apicReserved", 0x801, kGp, kGp},
    {"X2apicId", 0x802, kVe, kGp},
    {"X2apicVersion", 0x803, kVe, kVe},
    {"X2apicTpr", 0x808, kNative, kNative},
    {"X2apicEoi", 0x80B, kNative, kNative},
    {"X2apicSpurious", 0x80F, kVe, kVe},
    {"X2apicIrr", 0x827, kNative, kNative},
    {"X2apicIcr", 0x830, kVe, kVe},
    {"X2apicSelfIpi", 0x83F, kNative, kNative},
    {"Xss", 0xDA0, kDone, kDone},
    {"LbrWithoutXfam", 0x14CE, kGp, kGp},
    {"Efer", 0xC0000080, kNative, kNative},
    {"Cstar", 0xC0000083, kVe, kVe},
    {"KernelGsBase", 0xC0000102, kNative, kNative},
    {"KvmClock", 0x4B564D01, kVe, kVe},
};
INSTANTIATE_TEST_SUITE_P(Rows, Msr, testing::ValuesIn(kMsrRows),
                         [](const auto& row) { return row.param.name; });

class ReducedMsrs : public TdTest, public testing::WithParamInterface<MsrRow> {};

TEST_P(ReducedMsrs, AreAbsentVeOrEmulatedForATdThatReducesVe) {
  auto parameters = kvm_parameters();
  parameters.cpuid_config[0].ecx = 1U << 24;  // TSC_DEADLINE
  run(parameters);
  ASSERT_EQ(td_.write_td_ctls(8, 8).status, tdx::status::kSuccess);
  std::uint64_t value = 0;
  EXPECT_EQ(vcpu_->read_msr(GetParam().index, value), GetParam().read);
  EXPECT_EQ(vcpu_->write_msr(GetParam().index, 0), GetParam().write);
}

constexpr MsrRow kReducedRows[] = {
    {"Tsc", 0x10, kNative, kVe},
    {"PlatformId", 0x17, kVe, kVe},
    {"ApicBase", 0x1B, kVe, kVe},
    {"SmiCount", 0x34, kDone, kDone},
    {"FeatureControl", 0x3A, kDone, kGp},
    {"PpinCtl", 0x4E, kDone, kGp},
    {"BiosUpdateTrigger", 0x79, kGp, kDone},
    {"BiosSignId", 0x8B, kDone, kDone},
    {"PlatformInfo", 0xCE, kDone, kGp},
    {"CoreCapabilities", 0xCF, kGp, kGp},
    {"MtrrCap", 0xFE, kGp, kGp},
    {"MiscFeaturesEnables", 0x140, kDone, kDone},
    {"McgCap", 0x179, kGp, kGp},
    {"PerfCtl", 0x199, kGp, kGp},
    {"ThermInterrupt", 0x19B, kGp, kGp},
    {"MiscEnable", 0x1A0, kDone, kDone},
    {"MtrrPhysbase0", 0x200, kGp, kGp},
    {"Pat", 0x277, kDone, kDone},
    {"Mc0Ctl2", 0x280, kGp, kGp},
    {"MtrrDefType", 0x2FF, kGp, kGp},
    {"Mc0Ctl", 0x400, kGp, kGp},
    {"TscDeadline", 0x6E0, kGp, kGp},
    {"X2apicVersion", 0x803, kVe, kVe},
    {"X2apicId", 0x802, kDone, kGp},
    {"X2apicSpurious", 0x80F, kVe, kVe},
    {"X2apicIcr", 0x830, kVe, kVe},
    {"X2apicTimerCount", 0x838, kVe, kVe},
    {"L3Mask0", 0xC90, kGp, kGp},
    {"Unknown", 0x1234, kGp, kGp},
    {"Cstar", 0xC0000083, kGp, kGp},
    {"KvmClock", 0x4B564D01, kVe, kVe},
};
INSTANTIATE_TEST_SUITE_P(Rows, ReducedMsrs, testing::ValuesIn(kReducedRows),
                         [](const auto& row) { return row.param.name; });

TEST_F(TdTest, MsrsOfFeaturesThatTheTdHandlesStayVe) {
  auto parameters = kvm_parameters();
  parameters.cpuid_config[0].ecx = 1U << 24;
  parameters.cpuid_config[0].edx = 1U << 12 | 1U << 14;
  run(parameters);
  ASSERT_EQ(td_.write_td_ctls(8, 8).status, tdx::status::kSuccess);
  ASSERT_EQ(td_.write_feature_paravirt_ctls(1U << 3 | 1U << 4 | 1U << 11, ~0ULL).status,
            tdx::status::kSuccess);
  std::uint64_t value = 0;
  for (const std::uint32_t handled : {0xFEU, 0x26FU, 0x179U, 0x402U, 0x4D0U, 0x6E0U})
    EXPECT_EQ(vcpu_->read_msr(handled, value), kVe) << std::hex << handled;
  EXPECT_EQ(vcpu_->read_msr(0x19A, value), kGp) << "it does not handle ACPI";
}

TEST_F(TdTest, MsrsThatTheModuleEmulatesHaveItsValues) {
  run(kvm_parameters());
  ASSERT_EQ(td_.write_td_ctls(8, 8).status, tdx::status::kSuccess);
  const auto read = [this](std::uint32_t index) {
    std::uint64_t value = 0;
    EXPECT_EQ(vcpu_->read_msr(index, value), kDone);
    return value;
  };
  EXPECT_EQ(read(0x3A), 1U) << "locked";
  EXPECT_EQ(read(0x8B), 0xFFFFFFFFU);
  EXPECT_EQ(read(0xCE), 0U);
  EXPECT_EQ(vcpu_->write_msr(0x34, 7), kDone);
  EXPECT_EQ(read(0x34), 7U);
  EXPECT_EQ(vcpu_->write_msr(0x140, 1), kGp);
  EXPECT_EQ(vcpu_->write_msr(0x1A0, 1 | 1U << 3), kDone);
  EXPECT_EQ(read(0x1A0), 0x1809U) << "BTS and PEBS stay unavailable";
  EXPECT_EQ(vcpu_->write_msr(0x1A0, 1U << 16), kGp) << "EST without the feature";
  EXPECT_EQ(vcpu_->write_msr(0x1A0, 1U << 18), kVe) << "the MONITOR state machine changes";
  EXPECT_EQ(vcpu_->write_msr(0x1A0, 1U << 22), kVe) << "limits CPUID";
}

TEST_F(TdTest, MsrRangesAscendAndDoNotOverlap) {
  std::int64_t last = -1;
  for (const auto& range : msr::kRanges) {
    EXPECT_LT(last, std::int64_t{range.first});
    EXPECT_LE(range.first, range.last);
    last = range.last;
  }
}

TEST_F(TdTest, TscDeadlineIsVeWithTheFeature) {
  auto parameters = kvm_parameters();
  parameters.cpuid_config[0].ecx = 1U << 24;
  run(parameters);
  EXPECT_EQ(vcpu_->write_msr(0x6E0, 1), kVe);
}

TEST_F(TdTest, X2apicIdIsEmulatedWithEnumTopology) {
  run(kvm_parameters());
  ASSERT_EQ(td_.write_td_ctls(2, 2).status, 0U);
  std::uint64_t value = 99;
  EXPECT_EQ(vcpu_->read_msr(0x802, value), kDone);
  EXPECT_EQ(value, 0U);
}

TEST_F(TdTest, PatKeepsValidTypesOnly) {
  run(kvm_parameters());
  std::uint64_t value = 0;
  EXPECT_EQ(vcpu_->read_msr(0x277, value), kDone);
  EXPECT_EQ(value, 0x0007040600070406U);
  EXPECT_EQ(vcpu_->write_msr(0x277, 0x0007040600070402), kGp);
  EXPECT_EQ(vcpu_->write_msr(0x277, 0x0407050600070106), kDone);
  vcpu_->read_msr(0x277, value);
  EXPECT_EQ(value, 0x0407050600070106U);
}

TEST_F(TdTest, XssIsBoundedByXfam) {
  auto parameters = kvm_parameters();
  parameters.xfam |= 0x1800;
  run(parameters);
  EXPECT_EQ(vcpu_->write_msr(0xDA0, 0x100), kGp);
  EXPECT_EQ(vcpu_->write_msr(0xDA0, 0x1800), kDone);
  EXPECT_EQ(vcpu_->xss(), 0x1800U);
}

TEST_F(TdTest, DebugctlTrNeedsBts) {
  run(kvm_parameters());
  EXPECT_EQ(vcpu_->write_msr(0x1D9, 0x40), kVe);
  EXPECT_EQ(vcpu_->write_msr(0x1D9, 0xC0), kDone);
  EXPECT_EQ(vcpu_->write_msr(0x1D9, 1U << 14), kGp);
  EXPECT_EQ(vcpu_->write_msr(0x1D9, 1U << 30), kGp);
}

TEST_F(TdTest, EferMayChangeSceOnly) {
  run(kvm_parameters());
  EXPECT_EQ(vcpu_->write_efer(0xD01, 0xD00), kDone);
  EXPECT_EQ(vcpu_->write_efer(0xD01, 0x901), kDone) << "LMA is ignored";
  EXPECT_EQ(vcpu_->write_efer(0xD01, 0x501), kVe) << "NXE";
}

TEST_F(TdTest, Cr0WritesKeepWhatTheModuleOwns) {
  run(kvm_parameters());
  EXPECT_EQ(vcpu_->write_cr0(0x21, 0x80010033, 0), kDone);
  EXPECT_EQ(vcpu_->write_cr0(0x21, 0x80000020, 0), kGp) << "PG without PE";
  EXPECT_EQ(vcpu_->write_cr0(0x21, 0x20, 0), kVe) << "PE";
  EXPECT_EQ(vcpu_->write_cr0(0x21, 0x80000011, 0), kVe) << "NE";
  EXPECT_EQ(vcpu_->write_cr0(0x21, 0xC0000021, 0), kVe) << "CD";
  EXPECT_EQ(vcpu_->write_cr0(0x21, 0x100000021, 0), kVe) << "reserved";
  EXPECT_EQ(vcpu_->write_cr0(0x80010033, 0x80000033, 1U << 23), kGp) << "WP under CET";
}

TEST_F(TdTest, Cr4WritesFollowXfamAndAttributes) {
  auto parameters = kvm_parameters();
  parameters.xfam |= 0x200;
  run(parameters);
  EXPECT_EQ(vcpu_->write_cr4(0x40, 0x406F8, 0x21), kDone);
  EXPECT_EQ(vcpu_->write_cr4(0x40, 0x40 | 1U << 22, 0x21), kDone) << "PKE with XFAM.PKRU";
  EXPECT_EQ(vcpu_->write_cr4(0x40, 0x40 | 1U << 23, 0x10021), kGp) << "CET";
  EXPECT_EQ(vcpu_->write_cr4(0x40, 0x40 | 1U << 24, 0x21), kGp) << "PKS";
  EXPECT_EQ(vcpu_->write_cr4(0x40, 0x40 | 1U << 19, 0x21), kGp) << "KL";
  EXPECT_EQ(vcpu_->write_cr4(0x40, 0x40 | 1U << 13, 0x21), kVe) << "VMXE";
  EXPECT_EQ(vcpu_->write_cr4(0x40, 0, 0x21), kVe) << "MCE";
}

TEST_F(TdTest, Xcr0IsBoundedByXfam) {
  auto parameters = kvm_parameters();
  parameters.xfam |= 0xE0;
  run(parameters);
  EXPECT_EQ(vcpu_->write_xcr0(0x7), kDone);
  EXPECT_EQ(vcpu_->write_xcr0(0xE7), kDone);
  EXPECT_EQ(vcpu_->write_xcr0(0x6), kGp) << "x87";
  EXPECT_EQ(vcpu_->write_xcr0(0x5), kGp) << "AVX without SSE";
  EXPECT_EQ(vcpu_->write_xcr0(0x67), kGp) << "half of AVX-512";
  EXPECT_EQ(vcpu_->write_xcr0(0x207), kGp) << "PKRU is not in XFAM";
}

}  // namespace
}  // namespace virttdx::softhost
