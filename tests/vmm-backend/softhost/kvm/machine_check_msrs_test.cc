// SPDX-License-Identifier: GPL-2.0-or-later
// get_msr_mce(), set_msr_mce() and kvm_vcpu_ioctl_x86_setup_mce() of Linux' arch/x86/kvm/x86.c.
#include "softhost/kvm/machine_check_msrs.h"

#include <gtest/gtest.h>

namespace virttdx::softhost {
namespace {

constexpr auto kGuest = MsrAccess::Guest, kVmm = MsrAccess::Vmm;
constexpr std::uint64_t kOnes = ~0ULL;
constexpr std::uint32_t kMcgCap = 0x179, kMcgStatus = 0x17A, kMcgCtl = 0x17B, kMcgExtCtl = 0x4D0;

TEST(MachineCheckMsrs, Are32BanksUntilTheVmmSetsUpOthers) {
  MachineCheckMsrs msrs;
  EXPECT_EQ(msrs.read(kMcgCap, kGuest), 32U);
  EXPECT_EQ(msrs.read(0x400, kGuest), 0U);
  EXPECT_EQ(msrs.read(0x47F, kGuest), 0U);
  EXPECT_FALSE(msrs.write(kMcgCap, 1, kVmm));
  ASSERT_TRUE(msrs.set_up(2));
  EXPECT_EQ(msrs.read(kMcgCap, kGuest), 2U);
  EXPECT_EQ(msrs.read(0x404, kGuest), kOnes) << "MC1_CTL";
  EXPECT_FALSE(msrs.read(0x408, kGuest)) << "there is no third bank";
  EXPECT_FALSE(msrs.write(0x408, 0, kVmm));
}

TEST(MachineCheckMsrs, CannotBeSetUpBeyondWhatKvmSupports) {
  MachineCheckMsrs msrs;
  for (const std::uint64_t refused : {0ULL, 33ULL, 0x100ULL, 1ULL | 1ULL << 9, 1ULL | 1ULL << 40})
    EXPECT_FALSE(msrs.set_up(refused)) << std::hex << refused;
  EXPECT_EQ(msrs.read(kMcgCap, kGuest), 32U);
  EXPECT_TRUE(msrs.set_up(MachineCheckMsrs::kSupported | 0xFF0000 | 10));
}

TEST(MachineCheckMsrs, ABankTakesAllOnesOrZerosAndNoErrorFromTheGuest) {
  MachineCheckMsrs msrs;
  EXPECT_TRUE(msrs.write(0x400, kOnes, kGuest));
  EXPECT_TRUE(msrs.write(0x410, kOnes & ~(1ULL << 10), kGuest));
  EXPECT_EQ(msrs.read(0x410, kGuest), kOnes & ~(1ULL << 10));
  EXPECT_FALSE(msrs.write(0x400, 0xFF, kGuest));
  EXPECT_TRUE(msrs.write(0x401, 0, kGuest));
  EXPECT_FALSE(msrs.write(0x401, 1, kGuest)) << "STATUS";
  EXPECT_TRUE(msrs.write(0x401, 1, kVmm));
  EXPECT_TRUE(msrs.write(0x402, 0x1234, kGuest)) << "ADDR";
  EXPECT_TRUE(msrs.write(kMcgStatus, 4, kGuest));
  EXPECT_EQ(msrs.read(kMcgStatus, kGuest), 4U);
}

TEST(MachineCheckMsrs, ControlsAreThereWithTheirCapability) {
  MachineCheckMsrs msrs;
  for (const std::uint32_t control : {kMcgCtl, kMcgExtCtl, 0x280U}) {
    EXPECT_FALSE(msrs.read(control, kGuest)) << std::hex << control;
    EXPECT_EQ(msrs.read(control, kVmm), 0U) << std::hex << control;
    EXPECT_FALSE(msrs.write(control, 0, kGuest)) << std::hex << control;
    EXPECT_TRUE(msrs.write(control, 0, kVmm)) << std::hex << control;
  }
  ASSERT_TRUE(msrs.set_up(MachineCheckMsrs::kSupported | 32));
  EXPECT_EQ(msrs.read(kMcgCtl, kGuest), kOnes);
  EXPECT_FALSE(msrs.write(kMcgCtl, 1, kGuest));
  EXPECT_TRUE(msrs.write(kMcgExtCtl, 1, kGuest));
  EXPECT_FALSE(msrs.write(kMcgExtCtl, 2, kGuest));
  EXPECT_TRUE(msrs.write(0x29F, 1ULL << 30 | 0x7FFF, kGuest));
  EXPECT_EQ(msrs.read(0x29F, kGuest), 1ULL << 30 | 0x7FFF);
  EXPECT_FALSE(msrs.write(0x280, 1ULL << 31, kGuest));
}

}  // namespace
}  // namespace virttdx::softhost
