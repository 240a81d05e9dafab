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

constexpr std::uint64_t kRndNoEntropy = 0x8000020300000000, kKeyStateIncorrect = 0xC000081100000000;
constexpr std::uint64_t kPageNotFree = 0xC000030300000000, kFieldNotReadable = 0xC0000C0200000000;

TEST_F(Faults, I19_NoEntropyForTheKeyIsTriedAgain) {
  use({{.at = FaultPoint::TdhMngCreate, .count = 100, .hw_error = kRndNoEntropy}});
  const int vm = create_td();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(init(vm), -EAGAIN);  // none keeps its key id
  EXPECT_EQ(last_command.hw_error, 0U);
  EXPECT_EQ(init(vm), 0);
}

TEST_F(Faults, I20_OfTheTdsCreationKillTheVm) {
  use({{.at = FaultPoint::TdhMngCreate, .hw_error = kKeyStateIncorrect}});
  const int vm = create_td();
  EXPECT_EQ(init(vm), -EIO);
  EXPECT_EQ(last_command.hw_error, 0U);
  EXPECT_EQ(call(vm, kvm::KVM_CHECK_EXTENSION, 0), -EIO);
  EXPECT_EQ(init(create_td()), 0);
}

TEST_F(Faults, I22_OfTheTdsInitializationKillTheVm) {
  use({{.at = FaultPoint::TdhMngInit, .hw_error = kKeyStateIncorrect}});
  const int vm = create_td();
  EXPECT_EQ(init(vm), -EIO);
  EXPECT_EQ(last_command.hw_error, 0U);
  EXPECT_EQ(init(vm), -EIO);
}

TEST_F(Faults, F3_OfFinalizeAreRetriedWhereTheModuleIsBusy) {
  constexpr std::uint64_t kBusyTdcs = 0x8000020000000090;
  use({{.at = FaultPoint::TdhMrFinalize, .count = 2, .hw_error = kBusyTdcs}});
  const int vm = initialized_td();
  initialized_vcpu(vm);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), -EBUSY);
    EXPECT_EQ(last_command.hw_error, kBusyTdcs);
  }
  EXPECT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), 0);
}

TEST_F(Faults, V5_OfAVcpusInitializationKillTheVm) {
  use({{.at = FaultPoint::TdhVpInit, .hw_error = kPageNotFree}});
  const int vm = initialized_td();
  const int vcpu = call(vm, kvm::KVM_CREATE_VCPU, 0);
  ASSERT_EQ(set_x2apic_cpuid(vcpu), 0);
  EXPECT_EQ(command(vcpu, kvm::KVM_TDX_INIT_VCPU), -EIO);
  EXPECT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), -EIO);
}

class PageFaults : public Faults {
 protected:
  /// The answer of adding one page, measured.
  int add_one_page(std::vector<SoftFault> faults) {
    use(std::move(faults));
    vm = initialized_td();
    const int vcpu = initialized_vcpu(vm);
    add_private_ram(vm);
    pages = {.source_addr = reinterpret_cast<std::uint64_t>(ram), .gpa = 0x1000, .nr_pages = 1};
    return add_pages(vcpu, pages, kvm::KVM_TDX_MEASURE_MEMORY_REGION);
  }
  int vm = -1;
  kvm::kvm_tdx_init_mem_region pages{};
};

TEST_F(PageFaults, M14_OfABusyModuleAreRetriedInside) {
  EXPECT_EQ(add_one_page({{.at = FaultPoint::TdhMemPageAdd, .count = 1000, .hw_error = 0x8000020000000001}}),
            0);
  EXPECT_EQ(pages.nr_pages, 0U);
}

TEST_F(PageFaults, M14_OfThePageKillTheVm) {
  EXPECT_EQ(add_one_page({{.at = FaultPoint::TdhMemPageAdd, .hw_error = kPageNotFree}}), -EIO);
  EXPECT_EQ(pages.nr_pages, 1U);
  EXPECT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), -EIO);
}

TEST_F(PageFaults, M15_OfTheMeasurementKillTheVm) {
  EXPECT_EQ(add_one_page({{.at = FaultPoint::TdhMrExtend, .first = 16, .hw_error = 0xC000010000000001}}),
            -EIO);
  EXPECT_EQ(pages.nr_pages, 1U);
  EXPECT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), -EIO);
}

class CpuidFaults : public Faults {
 protected:
  /// The answer of GET_CPUID when the leaf `arrival`, counted from 1, cannot be read.
  int get_cpuid(std::uint32_t arrival) {
    use({{.at = FaultPoint::TdhMngRd, .first = arrival, .hw_error = kFieldNotReadable}});
    const int vcpu = initialized_vcpu(initialized_td());
    room.header().nent = 200;
    return command(vcpu, kvm::KVM_TDX_GET_CPUID, room.address());
  }
  WithCpuid<kvm::kvm_cpuid2> room{200};
};

TEST_F(CpuidFaults, G4_NeedTheLeafThatTellsHowManyThereAre) {
  ASSERT_EQ(get_cpuid(200), 0);
  const std::uint32_t count = room.header().nent;
  std::uint32_t extended = 0;
  while (room.entry(extended).function != 0x80000000) ++extended;
  ASSERT_EQ(room.entry(0).function, 0U);
  EXPECT_EQ(get_cpuid(1), -EIO);
  EXPECT_EQ(get_cpuid(extended + 1), -EIO);
  EXPECT_EQ(get_cpuid(2), 0);  // any other leaf is left out
  EXPECT_EQ(room.header().nent, count - 1);
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
