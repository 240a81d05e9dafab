// SPDX-License-Identifier: GPL-2.0-or-later
// Faults on demand: each strikes the arrivals that it names and no other.
#include "softhost/kvm/fault_injector.h"

#include "micro_td.h"

namespace virttdx::softhost {
namespace {

class Faults : public TdFixture {
 protected:
  void use(std::vector<SoftFault> faults) {
    host = create_kvm_model(Processor{every_feature_cpuid, {}}, std::move(faults));
    system = host->open("/dev/kvm", 0);
  }
};

TEST_F(Faults, StrikeTheCallsThatTheyName) {
  use({{.at = FaultPoint::CreateVm, .first = 2, .count = 2, .error = FaultErrno::Enomem}});
  EXPECT_GE(create_td(), 0);
  EXPECT_EQ(create_td(), -ENOMEM);
  EXPECT_EQ(create_td(), -ENOMEM);
  EXPECT_GE(create_td(), 0);
}

TEST_F(Faults, OfInitVmLeaveTheTdAsItWas) {
  use({{.at = FaultPoint::TdxInitVm, .count = 3, .error = FaultErrno::Eagain}});
  const int vm = create_td();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(init(vm), -EAGAIN);
  EXPECT_EQ(init(vm), 0);
}

TEST_F(Faults, OfFinalizeGiveTheModulesStatus) {
  constexpr std::uint64_t kOperandBusy = 0x8000020000000000;
  use({{.at = FaultPoint::TdxFinalizeVm, .error = FaultErrno::Ebusy, .hw_error = kOperandBusy}});
  const int vm = initialized_td();
  initialized_vcpu(vm);
  EXPECT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), -EBUSY);
  EXPECT_EQ(last_command.hw_error, kOperandBusy);
  EXPECT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), 0);
}

TEST_F(Faults, OfAPageComeInTheMiddleOfARegion) {
  use({{.at = FaultPoint::TdxInitMemRegionPage, .first = 4, .error = FaultErrno::Eintr}});
  const int vm = initialized_td();
  const int vcpu = initialized_vcpu(vm);
  add_private_ram(vm);
  kvm::kvm_tdx_init_mem_region pages{
      .source_addr = reinterpret_cast<std::uint64_t>(ram), .gpa = 0x1000, .nr_pages = 8};
  EXPECT_EQ(add_pages(vcpu, pages), -EINTR);
  EXPECT_EQ(pages.nr_pages, 5U);
  EXPECT_EQ(pages.gpa, 0x4000U);
  EXPECT_EQ(add_pages(vcpu, pages), 0);
}

TEST_F(Faults, M11_OfMemoryLeaveTheRegionWhereItCame) {
  use({{.at = FaultPoint::TdxInitMemRegionPage, .first = 2, .error = FaultErrno::Enomem}});
  const int vm = initialized_td();
  const int vcpu = initialized_vcpu(vm);
  add_private_ram(vm);
  kvm::kvm_tdx_init_mem_region pages{
      .source_addr = reinterpret_cast<std::uint64_t>(ram), .gpa = 0x1000, .nr_pages = 2};
  EXPECT_EQ(add_pages(vcpu, pages), -ENOMEM);
  EXPECT_EQ(pages.gpa, 0x2000U);
  EXPECT_EQ(add_pages(vcpu, pages), 0);
}

TEST_F(Faults, M14_OfAPageThatTheModuleRefusesKillTheVm) {
  use({{.at = FaultPoint::TdxInitMemRegionPage, .error = FaultErrno::Eio, .kills_vm = true}});
  const int vm = initialized_td();
  const int vcpu = initialized_vcpu(vm);
  add_private_ram(vm);
  kvm::kvm_tdx_init_mem_region pages{
      .source_addr = reinterpret_cast<std::uint64_t>(ram), .gpa = 0x1000, .nr_pages = 2};
  EXPECT_EQ(add_pages(vcpu, pages), -EIO);
  EXPECT_EQ(pages.nr_pages, 2U);
  EXPECT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), -EIO);
}

TEST_F(Faults, ThatKillTheVmAreItsLast) {
  use({{.at = FaultPoint::TdxInitVcpu, .error = FaultErrno::Eio, .kills_vm = true}});
  const int vm = initialized_td();
  const int vcpu = call(vm, kvm::KVM_CREATE_VCPU, 0);
  ASSERT_EQ(set_x2apic_cpuid(vcpu), 0);
  EXPECT_EQ(command(vcpu, kvm::KVM_TDX_INIT_VCPU), -EIO);
  EXPECT_EQ(call(vm, kvm::KVM_CHECK_EXTENSION, kvm::KVM_CAP_MAX_VCPUS), -EIO);
  EXPECT_EQ(call(vcpu, kvm::KVM_RUN), -EIO);
}

}  // namespace
}  // namespace virttdx::softhost
