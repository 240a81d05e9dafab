// SPDX-License-Identifier: GPL-2.0-or-later
// KVM_TDX_INIT_VCPU (V), KVM_TDX_INIT_MEM_REGION (M) and KVM_TDX_GET_CPUID (G): one test a rule.
#include <atomic>
#include <csignal>
#include <thread>

#include "td_fixture.h"

namespace virttdx::softhost {
namespace {

class InitVcpu : public TdFixture {};
class GetCpuid : public TdFixture {};
class InitMemRegion : public TdFixture {
 protected:
  InitMemRegion() {
    vm = initialized_td();
    vcpu = initialized_vcpu(vm);
    pages = {.source_addr = reinterpret_cast<std::uint64_t>(source.data()), .gpa = 0x10000, .nr_pages = 2};
  }
  alignas(4096) std::array<std::byte, 2 * 4096> source{};
  int vm = -1;
  int vcpu = -1;
  kvm::kvm_tdx_init_mem_region pages{};
};

TEST_F(InitVcpu, V1_OnlyBetweenInitVmAndFinalize) {
  const int vm = initialized_td();
  const int late = call(vm, kvm::KVM_CREATE_VCPU, 1);
  ASSERT_EQ(set_x2apic_cpuid(late), 0);
  initialized_vcpu(vm);
  ASSERT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), 0);
  EXPECT_EQ(command(late, kvm::KVM_TDX_INIT_VCPU), -EINVAL);
}

TEST_F(InitVcpu, V2_RefusesFlags) {
  const int vcpu = call(initialized_td(), kvm::KVM_CREATE_VCPU, 0);
  ASSERT_EQ(set_x2apic_cpuid(vcpu), 0);
  EXPECT_EQ(command(vcpu, kvm::KVM_TDX_INIT_VCPU, 0, 1), -EINVAL);
}

TEST_F(InitVcpu, V3_OnlyOnce) {
  const int vcpu = initialized_vcpu(initialized_td());
  EXPECT_EQ(command(vcpu, kvm::KVM_TDX_INIT_VCPU), -EINVAL);
}

TEST_F(InitVcpu, V4_NeedsX2apicInTheVcpusCpuid) {
  const int vcpu = call(initialized_td(), kvm::KVM_CREATE_VCPU, 0);
  EXPECT_EQ(command(vcpu, kvm::KVM_TDX_INIT_VCPU), -EINVAL);
  ASSERT_EQ(set_x2apic_cpuid(vcpu), 0);
  EXPECT_EQ(command(vcpu, kvm::KVM_TDX_INIT_VCPU), 0);
}

TEST_F(InitVcpu, V6_MakesTheVcpuRunnableWithX2apic) {
  const int vm = initialized_td();
  const int vcpu = call(vm, kvm::KVM_CREATE_VCPU, 1);
  kvm::kvm_mp_state state{};
  ASSERT_EQ(call_with(vcpu, kvm::KVM_GET_MP_STATE, state), 0);
  EXPECT_EQ(state.mp_state, kvm::KVM_MP_STATE_UNINITIALIZED);
  ASSERT_EQ(set_x2apic_cpuid(vcpu), 0);
  ASSERT_EQ(command(vcpu, kvm::KVM_TDX_INIT_VCPU), 0);
  ASSERT_EQ(call_with(vcpu, kvm::KVM_GET_MP_STATE, state), 0);
  EXPECT_EQ(state.mp_state, kvm::KVM_MP_STATE_RUNNABLE);
  struct {
    kvm::kvm_msrs header{2, 0};
    kvm::kvm_msr_entry entries[2]{{0x1B, 0, 0}, {0x802, 0, 0}};
  } msrs;
  ASSERT_EQ(call_with(vcpu, kvm::KVM_GET_MSRS, msrs), 2);
  EXPECT_EQ(msrs.entries[0].data, 0xFEE00C00U);
  EXPECT_EQ(msrs.entries[1].data, 1U);
}

TEST_F(InitVcpu, RefusesVmCommandsOnAVcpu) {
  const int vcpu = initialized_vcpu(initialized_td());
  for (const std::uint32_t id : {0U, 1U, 4U, 6U}) EXPECT_EQ(command(vcpu, id), -EINVAL) << id;
}

TEST_F(InitMemRegion, M1_NotAfterFinalize) {
  add_private_ram(vm);
  ASSERT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), 0);
  EXPECT_EQ(add_pages(vcpu, pages), -EINVAL);
}

TEST_F(InitMemRegion, M2_NeedsAnInitializedVcpu) {
  add_private_ram(vm);
  EXPECT_EQ(add_pages(call(vm, kvm::KVM_CREATE_VCPU, 1), pages), -EINVAL);
}

TEST_F(InitMemRegion, M3_RefusesUnknownFlags) { EXPECT_EQ(add_pages(vcpu, pages, 2), -EINVAL); }

TEST_F(InitMemRegion, M4_RefusesAnUnreadableArgument) {
  EXPECT_EQ(command(vcpu, kvm::KVM_TDX_INIT_MEM_REGION, 0), -EFAULT);
}

TEST_F(InitMemRegion, M5_RefusesMalformedRegions) {
  add_private_ram(vm);
  const auto add = [&](std::uint64_t source_addr, std::uint64_t gpa, std::uint64_t nr_pages) {
    kvm::kvm_tdx_init_mem_region malformed{source_addr, gpa, nr_pages};
    return add_pages(vcpu, malformed);
  };
  EXPECT_EQ(add(pages.source_addr + 8, 0, 1), -EINVAL);
  EXPECT_EQ(add(pages.source_addr, 8, 1), -EINVAL);
  EXPECT_EQ(add(pages.source_addr, 0, 0), -EINVAL);
  EXPECT_EQ(add(pages.source_addr, 0, 1ULL << 52), -EINVAL);
  EXPECT_EQ(add(pages.source_addr, kSharedBit48, 1), -EINVAL);
  EXPECT_EQ(add(pages.source_addr, kSharedBit48 - 4096, 2), -EINVAL);
}

TEST_F(InitMemRegion, M6_RefusesNoSource) {
  add_private_ram(vm);
  pages.source_addr = 0;
  EXPECT_EQ(add_pages(vcpu, pages), -EINVAL);
}

TEST_F(InitMemRegion, M7_ABlockedSignalDoesNotInterrupt) {
  add_private_ram(vm);
  sigset_t blocked, old;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &blocked, &old);
  pthread_kill(pthread_self(), SIGUSR2);
  EXPECT_EQ(add_pages(vcpu, pages), 0);
  EXPECT_EQ(sigwaitinfo(&blocked, nullptr), SIGUSR2);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

TEST_F(InitMemRegion, M7_GoesOnWhereASignalInterruptedIt) {
  add_private_ram(vm);
  struct sigaction action {
  }, old{};
  action.sa_handler = [](int) {};
  sigaction(SIGUSR2, &action, &old);
  std::atomic<bool> done = false;
  const pthread_t self = pthread_self();
  std::thread sender([&] {
    for (; !done; std::this_thread::yield()) pthread_kill(self, SIGUSR2);
  });
  pages = {.source_addr = reinterpret_cast<std::uint64_t>(ram), .gpa = 0, .nr_pages = kRamSize / 4096};
  int result = -EINTR;
  while (result == -EINTR) result = add_pages(vcpu, pages);
  done = true;
  sender.join();
  sigaction(SIGUSR2, &old, nullptr);
  EXPECT_EQ(result, 0);
  EXPECT_EQ(pages.gpa, kRamSize);
}

TEST_F(InitMemRegion, M8_NeedsASlotWithGuestMemfd) {
  EXPECT_EQ(add_pages(vcpu, pages), -EINVAL);
  ASSERT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, region(0)), 0);
  EXPECT_EQ(add_pages(vcpu, pages), -EINVAL);
}

TEST_F(InitMemRegion, M9_NeedsTheGuestMemfdOpen) {
  const int memfd = create_memfd(vm);
  ASSERT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, region(0, memfd)), 0);
  ASSERT_EQ(set_attributes(vm, 0, kRamSize, kvm::KVM_MEMORY_ATTRIBUTE_PRIVATE), 0);
  ASSERT_EQ(host->close(memfd), 0);
  EXPECT_EQ(add_pages(vcpu, pages), -EFAULT);
}

TEST_F(InitMemRegion, M10_RefusesAnUnreadableSource) {
  add_private_ram(vm);
  pages.source_addr = 0x1000;
  EXPECT_EQ(add_pages(vcpu, pages), -EFAULT);
  EXPECT_EQ(pages.nr_pages, 2U);
}

TEST_F(InitMemRegion, M12_NeedsThePrivateAttribute) {
  ASSERT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, region(0, create_memfd(vm))), 0);
  EXPECT_EQ(add_pages(vcpu, pages), -EINVAL);
}

TEST_F(InitMemRegion, M13_RefusesAPageTwiceAndTheVmLivesOn) {
  add_private_ram(vm);
  auto again = pages;
  again.gpa += 4096;
  ASSERT_EQ(add_pages(vcpu, again), 0);
  EXPECT_EQ(add_pages(vcpu, pages), -EIO);
  EXPECT_EQ(pages.nr_pages, 1U);
  EXPECT_EQ(pages.gpa, 0x11000U);
  EXPECT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), 0);
}

TEST_F(InitMemRegion, WritesBackHowFarItCame) {
  add_private_ram(vm);
  EXPECT_EQ(add_pages(vcpu, pages, kvm::KVM_TDX_MEASURE_MEMORY_REGION), 0);
  EXPECT_EQ(pages.nr_pages, 0U);
  EXPECT_EQ(pages.gpa, 0x12000U);
  EXPECT_EQ(pages.source_addr, reinterpret_cast<std::uint64_t>(source.data()) + 0x2000);
}

TEST_F(InitMemRegion, AConvertedPageCanBeAddedAgain) {
  add_private_ram(vm);
  auto again = pages;
  ASSERT_EQ(add_pages(vcpu, pages), 0);
  ASSERT_EQ(set_attributes(vm, 0x10000, 0x2000, 0), 0);
  ASSERT_EQ(set_attributes(vm, 0x10000, 0x2000, kvm::KVM_MEMORY_ATTRIBUTE_PRIVATE), 0);
  EXPECT_EQ(add_pages(vcpu, again), 0);
}

TEST_F(InitMemRegion, APunchedPageCanBeAddedAgain) {
  const int memfd = create_memfd(vm);
  ASSERT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, region(0, memfd)), 0);
  ASSERT_EQ(set_attributes(vm, 0, kRamSize, kvm::KVM_MEMORY_ATTRIBUTE_PRIVATE), 0);
  auto again = pages;
  ASSERT_EQ(add_pages(vcpu, pages), 0);
  ASSERT_EQ(host->punch_hole(memfd, 0x10000, 0x2000), 0);
  EXPECT_EQ(add_pages(vcpu, again), 0);
}

TEST_F(InitMemRegion, MeasuredContentDecidesOverTheMeasurement) {
  const auto measure = [&](bool measured, std::byte first) {
    const int td = initialized_td();
    const int td_vcpu = initialized_vcpu(td);
    add_private_ram(td);
    source[0] = first;
    auto argument = pages;
    EXPECT_EQ(add_pages(td_vcpu, argument, measured ? 1 : 0), 0);
    EXPECT_EQ(command(td, kvm::KVM_TDX_FINALIZE_VM), 0);
    return host->mrtd(td);
  };
  EXPECT_EQ(measure(true, std::byte{1}), measure(true, std::byte{1}));
  EXPECT_NE(measure(true, std::byte{1}), measure(true, std::byte{2}));
  EXPECT_EQ(measure(false, std::byte{1}), measure(false, std::byte{2}));
}

TEST_F(GetCpuid, G1_NotAfterFinalize) {
  const int vm = initialized_td();
  const int vcpu = initialized_vcpu(vm);
  ASSERT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), 0);
  WithCpuid<kvm::kvm_cpuid2> room(200);
  room.header().nent = 200;
  EXPECT_EQ(command(vcpu, kvm::KVM_TDX_GET_CPUID, room.address()), -EINVAL);
}

TEST_F(GetCpuid, G2_RefusesAnUnreadableBuffer) {
  EXPECT_EQ(command(initialized_vcpu(initialized_td()), kvm::KVM_TDX_GET_CPUID, 0), -EFAULT);
}

TEST_F(GetCpuid, G3_TellsHowManyEntriesThereAre) {
  const int vcpu = initialized_vcpu(initialized_td());
  WithCpuid<kvm::kvm_cpuid2> room(200);
  room.header().nent = 1;
  EXPECT_EQ(command(vcpu, kvm::KVM_TDX_GET_CPUID, room.address()), -E2BIG);
  const std::uint32_t needed = room.header().nent;
  EXPECT_GT(needed, 1U);
  EXPECT_EQ(room.entry(0).eax, 0U);
  EXPECT_EQ(command(vcpu, kvm::KVM_TDX_GET_CPUID, room.address()), 0);
  EXPECT_EQ(room.header().nent, needed);
}

TEST_F(GetCpuid, G5_ListsWhatTheModuleVirtualizes) {
  const int vcpu = initialized_vcpu(initialized_td());
  WithCpuid<kvm::kvm_cpuid2> room(200);
  room.header().nent = 200;
  ASSERT_EQ(command(vcpu, kvm::KVM_TDX_GET_CPUID, room.address()), 0);
  bool has_tdx_leaf = false;
  for (std::size_t i = 0; i < room.header().nent; ++i)
    if (room.entry(i).function == 0x21) has_tdx_leaf = room.entry(i).ebx == 0x65746E49;
  EXPECT_TRUE(has_tdx_leaf);
}

}  // namespace
}  // namespace virttdx::softhost
