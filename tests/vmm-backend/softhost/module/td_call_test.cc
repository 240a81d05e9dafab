// SPDX-License-Identifier: GPL-2.0-or-later
#include "module_fixture.h"
#include "support/byte_order.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint64_t kOperandInvalid = 0xC000010000000000;
constexpr std::uint64_t kVmcall = 0, kInfo = 1, kRtmrExtend = 2, kVeinfoGet = 3, kReport = 4, kCpuidveSet = 5,
                        kAccept = 6, kVmRd = 7, kVmWr = 8, kSysRd = 11;
constexpr std::uint64_t kTdCtls = 0x9110000300000017, kNotifyEnables = 0x9110000300000010,
                        kFeatureParavirtCtls = 0x9110000300000022;

class TdCallTest : public TdTest {
 protected:
  void SetUp() override { run(kvm_parameters()); }
  // Memory of the guest at `gpa`.
  std::byte* give_page(std::uint64_t gpa) {
    EXPECT_EQ(td_.mem_page_aug(gpa, 0, memory_.at(used_), false), 0U);
    EXPECT_EQ(td_.memory().accept(gpa, 0).result, SecureEpt::Accept::Accepted);
    return memory_.at(std::exchange(used_, used_ + 4096));
  }
  std::uint64_t accept(std::uint64_t rcx) {
    registers_.gpr[kRcx] = rcx;
    return call(kAccept);
  }
  std::uint64_t read(std::uint64_t field) {
    registers_.gpr[kRcx] = 0;
    registers_.gpr[kRdx] = field;
    return call(kVmRd);
  }
  std::uint64_t write(std::uint64_t field, std::uint64_t value, std::uint64_t mask) {
    registers_.gpr[kRcx] = 0;
    registers_.gpr[kRdx] = field;
    registers_.gpr[kR8] = value;
    registers_.gpr[kR9] = mask;
    return call(kVmWr);
  }

  HostMemory memory_{4 << 20};
  std::size_t used_ = 2 << 20;  // the first 2 MiB are for large pages
};

TEST_F(TdCallTest, FirstStateIsWhatVpInitSets) {
  const auto first = vcpu_->first_registers();
  EXPECT_EQ(first.rip, 0xFFFFFFF0U);
  EXPECT_EQ(first.gpr[kRbx], 48U);
  EXPECT_EQ(first.gpr[kRcx], 0x809000U);
  EXPECT_EQ(first.gpr[kR8], 0x809000U);
  EXPECT_EQ(first.gpr[kRsi], 0U);
  EXPECT_EQ(first.gpr[kRdx], 0x806F8U);
  const auto system = TdVcpu::first_system_registers();
  EXPECT_EQ(system.cr0, 0x21U);
  EXPECT_EQ(system.cr4, 0x40U);
  EXPECT_EQ(system.efer, 0x901U);
  EXPECT_EQ(system.cs.access_rights, 0xC09B);
  EXPECT_TRUE(system.ldt.unusable);
}

TEST_F(TdCallTest, UnknownLeafVersionOrReservedBitIsAnInvalidRax) {
  for (const std::uint64_t rax : {9ULL, 26ULL, 0x1234ULL, 0x10003ULL, 0x100000000ULL})
    EXPECT_EQ(call(rax), kOperandInvalid);
}

TEST_F(TdCallTest, InfoTellsTheTdAndTheVcpu) {
  EXPECT_EQ(call(kInfo), 0U);
  EXPECT_EQ(registers_.gpr[kRcx], 48U);
  EXPECT_EQ(registers_.gpr[kRdx], 0x10000000U);
  EXPECT_EQ(registers_.gpr[kR8], 0x0000000100000001U);
  EXPECT_EQ(registers_.gpr[kR9], 0U);
  EXPECT_EQ(registers_.gpr[kR10], 1U);
}

TEST_F(TdCallTest, VmcallPassesSelectedRegistersOnly) {
  for (unsigned i = 0; i < 16; ++i) registers_.gpr[i] = 0x100 + i;
  registers_.gpr[kRax] = kVmcall;
  registers_.gpr[kRcx] = 0xFC04;  // RDX, R10..R15
  const auto result = vcpu_->td_call(registers_);
  EXPECT_EQ(result.kind, TdCallResult::Kind::VmCall);
  EXPECT_EQ(vcpu_->vmcall()[kRdx], 0x102U);
  EXPECT_EQ(vcpu_->vmcall()[kR11], 0x10BU);
  EXPECT_EQ(vcpu_->vmcall()[kRbx], 0U);
  EXPECT_EQ(vcpu_->vmcall()[kR9], 0U);
  VmCallRegisters results{};
  results[kR10] = 0x55;
  results[kRbx] = 0x66;
  vcpu_->complete_vmcall(registers_, results);
  EXPECT_EQ(registers_.gpr[kRax], 0U);
  EXPECT_EQ(registers_.gpr[kR10], 0x55U);
  EXPECT_EQ(registers_.gpr[kRbx], 0x103U) << "not selected";
  EXPECT_EQ(registers_.gpr[kRcx], 0xFC04U);
}

TEST_F(TdCallTest, VmcallRefusesRegistersThatTheModuleKeeps) {
  for (const std::uint64_t rcx : {0x1ULL, 0x2ULL, 0x10ULL, 0x20ULL, 0x100000000ULL}) {
    registers_.gpr[kRcx] = rcx | 0xFC00;
    EXPECT_EQ(call(kVmcall), kOperandInvalid | 1) << rcx;
  }
}

TEST_F(TdCallTest, VeInformationIsReadOnce) {
  EXPECT_EQ(call(kVeinfoGet), 0xC000070400000000);
  ASSERT_TRUE(vcpu_->store_ve({30, 0x1234, 0x5678, 0x9ABC, 2, 3}));
  EXPECT_FALSE(vcpu_->store_ve({10, 0, 0, 0, 2, 0})) << "second #VE before the first was read";
  EXPECT_EQ(call(kVeinfoGet), 0U);
  EXPECT_EQ(registers_.gpr[kRcx], 30U);
  EXPECT_EQ(registers_.gpr[kRdx], 0x1234U);
  EXPECT_EQ(registers_.gpr[kR8], 0x5678U);
  EXPECT_EQ(registers_.gpr[kR9], 0x9ABCU);
  EXPECT_EQ(registers_.gpr[kR10], 0x0000000300000002U);
  EXPECT_EQ(call(kVeinfoGet), 0xC000070400000000);
  EXPECT_TRUE(vcpu_->store_ve({}));
}

TEST_F(TdCallTest, AcceptRefusesWhatIsNoPrivatePage) {
  EXPECT_EQ(accept(0x1000 | 2), kOperandInvalid | 1) << "1 GiB";
  EXPECT_EQ(accept(0x1000 | 1), kOperandInvalid | 1) << "not 2 MiB aligned";
  EXPECT_EQ(accept(0x1000 | 8), kOperandInvalid | 1) << "reserved bit";
  EXPECT_EQ(accept(std::uint64_t{1} << 47), kOperandInvalid | 1) << "shared";
  EXPECT_EQ(accept(std::uint64_t{1} << 60), kOperandInvalid | 1);
}

TEST_F(TdCallTest, AcceptOfAFreePageAsksTheVmmAndIsExecutedAgain) {
  registers_.gpr[kRax] = kAccept;
  registers_.gpr[kRcx] = 0x200000 | 1;
  const auto result = vcpu_->td_call(registers_);
  EXPECT_EQ(result.kind, TdCallResult::Kind::EptViolation);
  EXPECT_EQ(result.gpa, 0x200000U);
  EXPECT_EQ(result.level, 1U);
  EXPECT_EQ(registers_.gpr[kRax], kAccept);
  ASSERT_EQ(td_.mem_page_aug(0x200000, 1, memory_.at(0), false), 0U);
  EXPECT_EQ(accept(0x200000 | 1), 0U);
  EXPECT_EQ(*memory_.at(0), std::byte{0});
}

TEST_F(TdCallTest, AcceptTellsTheLevelOfWhatIsThere) {
  ASSERT_EQ(td_.mem_page_aug(0x200000, 1, memory_.at(0), false), 0U);
  EXPECT_EQ(accept(0x200000 | 1), 0U);
  EXPECT_EQ(accept(0x200000 | 1), 0x00000B0A00000001U);
  EXPECT_EQ(accept(0x201000), 0x00000B0A00000001U);
  give_page(0x400000);
  EXPECT_EQ(accept(0x400000), 0x00000B0A00000000U);
  EXPECT_EQ(accept(0x400000 | 1), 0xC0000B0B00000001U);
}

TEST_F(TdCallTest, PendingPagesEndTheTdUnderSeptVeDisable) {
  PrivatePage page;
  EXPECT_EQ(vcpu_->access_private(0x3000, page), PrivateAccess::EptViolation);
  ASSERT_EQ(td_.mem_page_aug(0x3000, 0, memory_.at(0), false), 0U);
  EXPECT_EQ(vcpu_->access_private(0x3000, page), PrivateAccess::PendingTdExit);
  EXPECT_EQ(accept(0x3000), 0U);
  EXPECT_EQ(vcpu_->access_private(0x3000, page), PrivateAccess::Memory);
  EXPECT_EQ(page.host, memory_.at(0));
}

TEST_F(TdTest, PendingPagesAreVeWithoutSeptVeDisable) {
  auto parameters = kvm_parameters();
  parameters.attributes = 0;
  run(parameters);
  const HostMemory memory(4096);
  ASSERT_EQ(td_.mem_page_aug(0x3000, 0, memory.at(0), false), 0U);
  PrivatePage page;
  EXPECT_EQ(vcpu_->access_private(0x3000, page), PrivateAccess::Ve);
}

TEST_F(TdCallTest, RtmrExtendTakesAlignedPrivateData) {
  auto* data = give_page(0x5000);
  for (unsigned i = 0; i < 48; ++i) data[64 + i] = static_cast<std::byte>(i);
  registers_.gpr[kRcx] = 0x5020;
  EXPECT_EQ(call(kRtmrExtend), kOperandInvalid | 1);
  registers_.gpr[kRcx] = 0x5040;
  registers_.gpr[kRdx] = 4;
  EXPECT_EQ(call(kRtmrExtend), kOperandInvalid | 2);
  registers_.gpr[kRdx] = 3;
  EXPECT_EQ(call(kRtmrExtend), 0U);
  EXPECT_NE(td_.rtmr(3), MeasurementValue{});
}

TEST_F(TdCallTest, ReportHoldsMeasurementsHashesAndData) {
  auto* page = give_page(0x5000);
  std::memset(page + 2048, 0xAB, 64);
  registers_.gpr[kRcx] = 0x5000;
  registers_.gpr[kRdx] = 0x5800;
  registers_.gpr[kR8] = 1;
  EXPECT_EQ(call(kReport), kOperandInvalid | 8);
  registers_.gpr[kR8] = 0;
  ASSERT_EQ(call(kReport), 0U);
  EXPECT_EQ(page[0], std::byte{0x81});
  EXPECT_EQ(page[128], std::byte{0xAB});
  const std::span<const std::byte> report(page, 1024);
  const auto same = [&](std::size_t offset, const MeasurementValue& value) {
    return std::equal(value.begin(), value.end(), page + offset);
  };
  EXPECT_TRUE(same(32, sha384(report.subspan(256, 239))));
  EXPECT_TRUE(same(80, sha384(report.subspan(512, 512))));
  EXPECT_EQ(load_le<std::uint64_t>(report, 512), 0x10000000U) << "ATTRIBUTES";
  EXPECT_EQ(load_le<std::uint64_t>(report, 520), 7U) << "XFAM";
  EXPECT_TRUE(same(528, *td_.mrtd()));
  const auto mac = module_.report_mac(std::span<const std::byte, 224>(page, 224));
  EXPECT_TRUE(std::equal(mac.begin(), mac.end(), page + 224));
}

TEST_F(TdCallTest, ReportRefusesMisalignedOperands) {
  give_page(0x5000);
  registers_.gpr[kRcx] = 0x5200;
  registers_.gpr[kRdx] = 0x5800;
  EXPECT_EQ(call(kReport), kOperandInvalid | 1);
  registers_.gpr[kRcx] = 0x5000;
  registers_.gpr[kRdx] = 0x5820;
  EXPECT_EQ(call(kReport), kOperandInvalid | 2);
}

TEST_F(TdCallTest, CpuidveMakesEveryLeafVeForThePrivilegeLevel) {
  CpuidValue value;
  EXPECT_EQ(vcpu_->cpuid(0, 0, {}, value), Outcome::Continue);
  registers_.gpr[kRcx] = 4;
  EXPECT_EQ(call(kCpuidveSet), kOperandInvalid | 1);
  registers_.gpr[kRcx] = 2;
  EXPECT_EQ(call(kCpuidveSet), 0U);
  EXPECT_EQ(vcpu_->cpuid(0, 0, {}, value), Outcome::Continue);
  CpuidContext user;
  user.cpl = 3;
  EXPECT_EQ(vcpu_->cpuid(0, 0, user, value), Outcome::Ve);
}

struct FieldRow {
  std::uint64_t id;
  std::uint64_t value;
};

TEST_F(TdCallTest, ReadsFieldsByTheIdsOfLinuxAndOfTheSpecification) {
  const FieldRow rows[] = {{0x1110000300000000, 0x10000000}, {0x1110000300000001, 7},
                           {0x1110000200000002, 4},          {0x1110000000000003, 0},
                           {0x111000010000000C, 92},         {0x1110000300000016, 4},
                           {0x9110000300000016, 4},          {0x1110000300000017, 1},
                           {0x9100000000000019, 1},          {0x9110000300000021, 0x0380000508CFD308},
                           {0x9010000200000001, 1}};
  for (const auto& row : rows) {
    EXPECT_EQ(read(row.id), 0U) << std::hex << row.id;
    EXPECT_EQ(registers_.gpr[kR8], row.value) << std::hex << row.id;
  }
  EXPECT_EQ(read(0x1310000300000001), 0U);
  EXPECT_EQ(registers_.gpr[kR8], load_le<std::uint64_t>(*td_.mrtd(), 8));
  EXPECT_EQ(read(0x1110000300009999), 0xC0000C0000000000U);
}

// The writes of Linux 6.12's and 7.1's start, in their order.
TEST_F(TdCallTest, WritesWhatLinuxWrites) {
  EXPECT_EQ(write(kNotifyEnables, 0, ~0ULL), 0U);
  EXPECT_EQ(write(kTdCtls, 8, 8), 0U);
  EXPECT_EQ(registers_.gpr[kR8], 1U) << "the value before";
  EXPECT_EQ(read(kTdCtls), 0U);
  EXPECT_EQ(registers_.gpr[kR8], 0xFU) << "REDUCE_VE turns on ENUM_TOPOLOGY and VIRT_CPUID2";
}

TEST_F(TdCallTest, ATdWithReducedVeKeepsWhatThatTurnsOn) {
  EXPECT_EQ(write(kTdCtls, 8, 8), 0U);
  EXPECT_EQ(write(kTdCtls, 0, 2), 0U);
  EXPECT_EQ(read(kTdCtls), 0U);
  EXPECT_EQ(registers_.gpr[kR8], 0xFU);
  EXPECT_EQ(write(kTdCtls, 0, 0xE), 0U);
  EXPECT_EQ(read(kTdCtls), 0U);
  EXPECT_EQ(registers_.gpr[kR8], 1U);
}

TEST_F(TdCallTest, FeatureParavirtCtlsTakeTheTwelveFeatures) {
  EXPECT_EQ(write(kFeatureParavirtCtls, 0x800, 0x800), 0U);
  EXPECT_EQ(write(kFeatureParavirtCtls, ~0ULL, ~0ULL), 0xC0000C0300000000U) << "reserved bits would change";
  EXPECT_EQ(write(kFeatureParavirtCtls, 0x1000, 0x1000), 0xC0000C0100000000U);
  EXPECT_EQ(write(kFeatureParavirtCtls, 0xFFF, ~0ULL), 0U);
  EXPECT_EQ(registers_.gpr[kR8], 0x800U) << "the value before";
  EXPECT_EQ(read(kFeatureParavirtCtls), 0U);
  EXPECT_EQ(registers_.gpr[kR8], 0xFFFU);
  EXPECT_EQ(write(kTdCtls, 1ULL << 63, 1ULL << 63), 0U);
  EXPECT_EQ(write(kFeatureParavirtCtls, 0, 1), 0xC0000C0300000000U) << "locked";
}

TEST_F(TdCallTest, ControlsAreFixedWhereTheTdWasBuiltSo) {
  EXPECT_EQ(write(kTdCtls, 0, 1), 0xC0000C0300000000U) << "no FLEXIBLE_PENDING_VE";
  EXPECT_EQ(write(kTdCtls, 0x12, 0x12), 0xC0000C0300000000U) << "bit 4 is reserved";
  EXPECT_EQ(write(0x1110000300000000, 0, ~0ULL), 0xC0000C0100000000U);
  EXPECT_EQ(write(0x1110000300009999, 0, ~0ULL), 0xC0000C0000000000U);
  EXPECT_EQ(write(kTdCtls, 1ULL << 63, 1ULL << 63), 0U);
  EXPECT_EQ(write(kTdCtls, 2, 2), 0xC0000C0300000000U) << "locked";
}

TEST_F(TdCallTest, SystemFieldsTellTheModule) {
  const auto system = [this](std::uint64_t field) {
    registers_.gpr[kRdx] = field;
    EXPECT_EQ(call(kSysRd), 0U);
    return registers_.gpr[kR8];
  };
  EXPECT_EQ(system(0x9900000100000004), 28U);
  EXPECT_EQ(system(0x9900000100000008), 576U);
  EXPECT_EQ(system(0x1900000300000003), 3U);
  EXPECT_EQ(system(0x9900000300000400), 0xFFFFFFFF00000001U);
  EXPECT_NE(system(0x0A00000300000008) & 1U << 30, 0U) << "VE_REDUCTION";
  registers_.gpr[kRdx] = 0x1234;
  EXPECT_EQ(call(kSysRd), 0xC0000C0000000000U);
}

}  // namespace
}  // namespace virttdx::softhost
