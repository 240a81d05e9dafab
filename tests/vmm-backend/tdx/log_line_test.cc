// SPDX-License-Identifier: GPL-2.0-or-later
// Lines as they stand in public bug reports (github.com/canonical/tdx issues 21, 25, 114, 153, 161, 286, 319,
// 331, 342) and in the formats of Linux' tdx.c, QEMU's tdx.c and our own log.
#include <gtest/gtest.h>

#include <cerrno>

#include "vmm_backend/tdx_explain.h"

namespace virttdx::test {
namespace {

struct Line {
  const char* text;
  TdxFailure failure;
  const char* first_cause;
};

class LogLine : public testing::TestWithParam<Line> {};

TEST_P(LogLine, IsExplained) {
  const Line& line = GetParam();
  const auto explained = explain_log_line(line.text);
  ASSERT_TRUE(explained) << line.text;
  EXPECT_EQ(explained->failure.request, line.failure.request);
  EXPECT_EQ(explained->failure.system_errno, line.failure.system_errno);
  EXPECT_EQ(explained->failure.hw_error, line.failure.hw_error);
  EXPECT_EQ(explained->failure.seamcall, line.failure.seamcall);
  ASSERT_FALSE(explained->causes.empty()) << line.text;
  EXPECT_EQ(explained->causes.front().id, line.first_cause);
}

using enum KvmRequest;

constexpr Line kLines[] = {
    {"qemu-system-x86_64: KVM_TDX_INIT_VM failed: Invalid argument",
     {TdxInitVm, EINVAL, {}, {}},
     "init-vm.twice"},
    {"qemu-system-x86_64: KVM_TDX_INIT_VM failed: Invalid argument (22)",
     {TdxInitVm, EINVAL, {}, {}},
     "init-vm.twice"},
    {"qemu-system-x86_64: KVM_TDX_INIT_VM failed No space left on device",
     {TdxInitVm, ENOSPC, {}, {}},
     "init-vm.no-key-id"},
    {"qemu-system-x86_64: KVM_TDX_INIT_MEM_REGION failed Input/output error",
     {TdxInitMemRegion, EIO, {}, {}},
     "init-mem-region.twice"},
    {"qemu: KVM_TDX_INIT_MEM_REGION failed Resource temporarily unavailable",
     {TdxInitMemRegion, EAGAIN, {}, {}},
     "init-mem-region.busy"},
    {"qemu-system-x86_64: -accel kvm: get_tdx_capabilities: KVM_TDX_CAPABILITIES failed: Inappropriate ioctl "
     "for device",
     {TdxCapabilities, ENOTTY, {}, {}},
     "tdx.not-a-td"},
    {"qemu-system-x86_64: vm-type tdx not supported by KVM", {CreateVm, 0, {}, {}}, "create-vm.no-tdx"},
    {"qemu-system-x86_64: vm-type TDX not supported by KVM", {CreateVm, 0, {}, {}}, "create-vm.no-tdx"},
    {"Could not access KVM kernel module: No such file or directory",
     {OpenKvm, ENOENT, {}, {}},
     "open.missing"},
    {"[   10.798780] virt/tdx: SEAMCALL (0x0000000000000022) failed: 0xc000050500000000",
     {Seamcall, 0, 0xC000050500000000, 0x22},
     "status.not-ready"},
    {"[   10.798795] kvm_intel: Failed to initialize TDX module.", {Unknown, 0, {}, {}}, "host.module"},
    {"[    7.592823] tdx: SEAMCALL failed: CPU 94: leaf 33, error 0xc000092100000122.",
     {Seamcall, 0, 0xC000092100000122, 33},
     "status.msr"},
    {"[   19.324236] virt/tdx: SEAMCALL (0x0000000000000021) failed: 0xc000090000000000",
     {Seamcall, 0, 0xC000090000000000, 0x21},
     "status.cpuid"},
    {"[  261.262866] SEAMCALL (0x000000000000001c) failed: 0xc000030000000001 RCX 0x0000000000000000 RDX 0x0",
     {Seamcall, 0, 0xC000030000000001, 0x1C},
     "status.page"},
    {"kvm_intel: SEAMCALL TDH_MNG_CREATE failed: 0x8000020300000000",
     {Seamcall, 0, 0x8000020300000000, 9},
     "status.entropy"},
    {"tdx: SEAMCALL (34) failed: 0xc000050500000000",
     {Seamcall, 0, 0xC000050500000000, 34},
     "status.not-ready"},
    {"kvm_intel: All packages need to have online CPU to create TD. Online CPU and retry.",
     {TdxInitVm, 0, {}, {}},
     "init-vm.offline-package"},
    {"[   15.287540] tdx: not enabled by BIOS.", {Unknown, 0, {}, {}}, "host.not-enabled"},
    {"KVM_TDX_INIT_VM ioctl: ret=-1 errno 22 (Invalid argument), hw_error 0xc000010000000041",
     {TdxInitVm, EINVAL, 0xC000010000000041, {}},
     "init-vm.module-xfam"},
    {"KVM_TDX_INIT_VM: ret=-1 errno=28", {TdxInitVm, ENOSPC, {}, {}}, "init-vm.no-key-id"},
    {"KVM_TDX_FINALIZE_VM failed (-16)", {TdxFinalizeVm, EBUSY, {}, {}}, "finalize.busy"},
    {"KVM_TDX_INIT_VM: EINVAL hw_error=0x0", {TdxInitVm, EINVAL, 0, {}}, "init-vm.twice"},
    {"2026-11-21 07:15:00.123+0000: 4711: error : KVM_TDX_INIT_VM: EINVAL with TDX_OPERAND_INVALID, operand "
     "XFAM "
     "(0xc000010000000041) because XFAM 0x20003 has AMX_TILECFG [bit 17] without AMX_TILEDATA [bit 18]; set "
     "both",
     {TdxInitVm, EINVAL, 0xC000010000000041, {}},
     "log.told"},
    {"KVM_TDX_INIT_VM attributes 0x8000000010000000 XFAM 0x3 with 1 CPUID entries: EBUSY; possible causes: "
     "(1) EINVAL",
     {TdxInitVm, EBUSY, 0, {}},
     "init-vm.vcpus"},
    {"KVM_CREATE_VCPU 0: Input/output error", {CreateVcpu, EIO, {}, {}}, "create-vcpu.state"},
};
INSTANTIATE_TEST_SUITE_P(OfBugReports, LogLine, testing::ValuesIn(kLines));

TEST(LogLineTest, OfOurOwnKeepsTheCauseThatItTells) {
  const TdxCause told{TdxInitVm, "log.told", "CPUID 0x80000008 EAX[23:16] is 46", "TDX allows 48 or 52",
                      TdxCertainty::Certain};
  TdxCause other = told;
  other.sentence = "XFAM 0x8 has reserved [bit 3]";
  other.remedy = "clear it";
  const auto line = "launch failed: KVM_TDX_INIT_VM: EINVAL" + describe_causes(std::vector{told, other});
  const auto explained = explain_log_line(line);
  ASSERT_TRUE(explained);
  EXPECT_EQ(explained->failure, (TdxFailure{TdxInitVm, EINVAL, 0, {}}));
  EXPECT_EQ(explained->causes, (std::vector{told, other}));
}

TEST(LogLineTest, WithoutAFailureIsNotExplained) {
  for (const char* const text : {"", "virt/tdx: module initialized", "KVM_TDX_INIT_VM", "SEAMCALL",
                                 "SEAMCALL failed", "virt/tdx: BIOS enabled: private KeyID range [32, 64)",
                                 "Invalid argument", "SEAMCALL (0x22) failed: 5"})
    EXPECT_FALSE(explain_log_line(text)) << text;
}

TEST(LogLineTest, OfAnyLengthIsReadToABound) {
  std::string text(10 << 20, 'x');
  text += "KVM_TDX_INIT_VM failed: Invalid argument";
  EXPECT_FALSE(explain_log_line(text));
}

}  // namespace
}  // namespace virttdx::test
