// SPDX-License-Identifier: GPL-2.0-or-later
// vCPU ioctls: those that a TD forbids, CPUID, MSRs, and KVM_RUN's checks before the guest runs.
#include "micro_td.h"
#include "softhost/kvm/machine_check_msrs.h"

namespace virttdx::softhost {
namespace {

class VcpuIoctls : public TdFixture {};

class KvmRun : public TdFixture {
 protected:
  kvm::kvm_run& map_run(int vcpu) {
    void* address = nullptr;
    EXPECT_EQ(host->mmap(vcpu, 8192, &address), 0);
    mapped.push_back(address);
    return *static_cast<kvm::kvm_run*>(address);
  }
  ~KvmRun() override {
    for (void* address : mapped) host->munmap(address, 8192);
  }
  std::vector<void*> mapped;
};

TEST_F(VcpuIoctls, AreForbiddenWhereATdsStateIsProtected) {
  const int vcpu = initialized_vcpu(initialized_td());
  for (const unsigned long request :
       {kvm::KVM_GET_REGS, kvm::KVM_SET_REGS, kvm::KVM_GET_SREGS, kvm::KVM_SET_SREGS, kvm::KVM_GET_SREGS2,
        kvm::KVM_SET_SREGS2, kvm::KVM_GET_DEBUGREGS, kvm::KVM_SET_DEBUGREGS, kvm::KVM_GET_XSAVE,
        kvm::KVM_SET_XSAVE, kvm::KVM_GET_XSAVE2, kvm::KVM_GET_XCRS, kvm::KVM_SET_XCRS, kvm::KVM_GET_FPU,
        kvm::KVM_SET_FPU, kvm::KVM_SET_GUEST_DEBUG, kvm::KVM_GET_LAPIC, kvm::KVM_SET_LAPIC,
        kvm::KVM_SET_TSC_KHZ})
    EXPECT_EQ(call(vcpu, request), -EINVAL) << std::hex << request;
}

TEST_F(VcpuIoctls, CpuidIsReadBackAsSet) {
  const int vcpu = call(initialized_td(), kvm::KVM_CREATE_VCPU, 0);
  ASSERT_EQ(set_x2apic_cpuid(vcpu), 0);
  WithCpuid<kvm::kvm_cpuid2> room(1);
  EXPECT_EQ(call(vcpu, kvm::KVM_GET_CPUID2, room.address()), -E2BIG);
  room.header().nent = 1;
  EXPECT_EQ(call(vcpu, kvm::KVM_GET_CPUID2, room.address()), 0);
  EXPECT_EQ(room.entry(0).function, 1U);
  room.header().nent = 257;
  EXPECT_EQ(call(vcpu, kvm::KVM_SET_CPUID2, room.address()), -E2BIG);
}

TEST_F(VcpuIoctls, MsrCallsStopAtTheFirstThatIsNotEmulated) {
  const int vcpu = initialized_vcpu(initialized_td());
  struct {
    kvm::kvm_msrs header{3, 0};
    kvm::kvm_msr_entry entries[3]{{0x277, 0, 0x06}, {0xC0000081, 0, 1}, {0xFE, 0, 0}};
  } msrs;
  EXPECT_EQ(call_with(vcpu, kvm::KVM_SET_MSRS, msrs), 1);  // STAR is the guest's own
  EXPECT_EQ(call_with(vcpu, kvm::KVM_GET_MSRS, msrs), 1);
  EXPECT_EQ(msrs.entries[0].data, 0x06U);
}

TEST_F(VcpuIoctls, ReadOnlyMsrsAreNotWritten) {
  const int vcpu = initialized_vcpu(initialized_td());
  for (const std::uint32_t index : {0x1BU, 0x3AU, 0xC0000080U}) {
    struct {
      kvm::kvm_msrs header{1, 0};
      kvm::kvm_msr_entry entry{};
    } msrs;
    msrs.entry.index = index;
    EXPECT_EQ(call_with(vcpu, kvm::KVM_SET_MSRS, msrs), 0) << index;
    EXPECT_EQ(call_with(vcpu, kvm::KVM_GET_MSRS, msrs), 1) << index;
  }
}

// What tdx_has_emulated_msr() of arch/x86/kvm/vmx/tdx.c lists.
TEST_F(VcpuIoctls, MsrsOfKvmsListAreEmulated) {
  const int vcpu = initialized_vcpu(initialized_td());
  struct Range {
    std::uint32_t first, last;
  };
  constexpr Range kList[] = {{0x1B, 0x1B},
                             {0x3A, 0x3A},
                             {0x8B, 0x8B},
                             {0xCE, 0xCE},
                             {0xFE, 0xFE},
                             {0x10A, 0x10A},
                             {0x140, 0x140},
                             {0x179, 0x17B},
                             {0x1A0, 0x1A0},
                             {0x1FC, 0x1FC},
                             {0x200, 0x20F},
                             {0x250, 0x250},
                             {0x258, 0x259},
                             {0x268, 0x26F},
                             {0x277, 0x277},
                             {0x280, 0x29F},
                             {0x2FF, 0x2FF},
                             {0x400, 0x47F},
                             {0x4D0, 0x4D0},
                             {0x6E0, 0x6E0},
                             {0x802, 0x803},
                             {0x80D, 0x80D},
                             {0x80F, 0x80F},
                             {0x828, 0x828},
                             {0x82F, 0x830},
                             {0x832, 0x839},
                             {0x83E, 0x83E},
                             {0x4B564D05, 0x4B564D05},
                             {0xC0000080, 0xC0000080}};
  for (const auto& [first, last] : kList) {
    for (std::uint32_t index = first; index <= last; ++index) {
      struct {
        kvm::kvm_msrs header{1, 0};
        kvm::kvm_msr_entry entry{};
      } msrs;
      msrs.entry.index = index;
      EXPECT_EQ(call_with(vcpu, kvm::KVM_GET_MSRS, msrs), 1) << std::hex << index;
    }
  }
}

class RunVcpu : public MicroTd {};

TEST_F(RunVcpu, CpuidIsFixedByTheFirstRun) {
  launch(Program().report());
  ASSERT_EQ(set_x2apic_cpuid(vcpu), 0);
  enter_until_report();
  EXPECT_EQ(set_x2apic_cpuid(vcpu), 0);
  WithCpuid<kvm::kvm_cpuid2> other(1);
  other.header().nent = 1;
  other.entry(0).function = 7;
  EXPECT_EQ(call(vcpu, kvm::KVM_SET_CPUID2, other.address()), -EINVAL);
}

TEST_F(VcpuIoctls, MachineCheckBanksAreSetUpAndShowInFeatureControl) {
  const int vcpu = initialized_vcpu(initialized_td());
  EXPECT_EQ(call_with(vcpu, kvm::KVM_X86_SETUP_MCE, std::uint64_t{0}), -EINVAL);
  EXPECT_EQ(call(vcpu, kvm::KVM_X86_SETUP_MCE), -EFAULT);
  EXPECT_EQ(call_with(vcpu, kvm::KVM_X86_SETUP_MCE, std::uint64_t{MachineCheckMsrs::kLmcePresent | 4}), 0);
  struct {
    kvm::kvm_msrs header{2, 0};
    kvm::kvm_msr_entry entries[2]{};
  } msrs;
  msrs.entries[0].index = 0x179;
  msrs.entries[1].index = 0x3A;
  EXPECT_EQ(call_with(vcpu, kvm::KVM_GET_MSRS, msrs), 2);
  EXPECT_EQ(msrs.entries[0].data, MachineCheckMsrs::kLmcePresent | 4);
  EXPECT_EQ(msrs.entries[1].data, 1U << 20 | 1U) << "locked, LMCE enabled";
}

TEST_F(VcpuIoctls, AnExternalVectorIsTakenOnce) {
  const int vcpu = initialized_vcpu(initialized_td());
  EXPECT_EQ(call_with(vcpu, kvm::KVM_INTERRUPT, kvm::kvm_interrupt{256}), -EINVAL);
  EXPECT_EQ(call_with(vcpu, kvm::KVM_INTERRUPT, kvm::kvm_interrupt{255}), 0);
  EXPECT_EQ(call_with(vcpu, kvm::KVM_INTERRUPT, kvm::kvm_interrupt{255}), -EEXIST);
}

TEST_F(VcpuIoctls, SignalMaskHasTheKernelsSize) {
  const int vcpu = initialized_vcpu(initialized_td());
  struct {
    std::uint32_t len = 8;
    std::uint8_t set[8]{};
  } mask;
  EXPECT_EQ(call_with(vcpu, kvm::KVM_SET_SIGNAL_MASK, mask), 0);
  mask.len = 16;
  EXPECT_EQ(call_with(vcpu, kvm::KVM_SET_SIGNAL_MASK, mask), -EINVAL);
  EXPECT_EQ(call(vcpu, kvm::KVM_SET_SIGNAL_MASK), 0);
}

TEST_F(KvmRun, BootVcpuBeforeInitVcpuIsEinval) {
  EXPECT_EQ(call(call(initialized_td(), kvm::KVM_CREATE_VCPU, 0), kvm::KVM_RUN), -EINVAL);
}

TEST_F(KvmRun, OtherVcpuBeforeInitVcpuWaitsUnlessImmediateExit) {
  const int vcpu = call(initialized_td(), kvm::KVM_CREATE_VCPU, 1);
  map_run(vcpu).immediate_exit = 1;
  EXPECT_EQ(call(vcpu, kvm::KVM_RUN), -EINTR);
}

TEST_F(KvmRun, RefusesSynchronizedRegisters) {
  const int vcpu = initialized_vcpu(initialized_td());
  map_run(vcpu).kvm_valid_regs = 1;
  EXPECT_EQ(call(vcpu, kvm::KVM_RUN), -EINVAL);
}

TEST_F(KvmRun, ImmediateExitComesBeforeTheCheckForFinalize) {
  const int vcpu = initialized_vcpu(initialized_td());
  kvm::kvm_run& run = map_run(vcpu);
  run.immediate_exit = 1;
  EXPECT_EQ(call(vcpu, kvm::KVM_RUN), -EINTR);
  run.immediate_exit = 0;
  EXPECT_EQ(call(vcpu, kvm::KVM_RUN), -EINVAL);
}

}  // namespace
}  // namespace virttdx::softhost
