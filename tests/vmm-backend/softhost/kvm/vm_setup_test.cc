// SPDX-License-Identifier: GPL-2.0-or-later
// VM-level set-up rules, one test a rule.
#include "td_fixture.h"
#include "vmm_backend/gpa.h"

namespace virttdx::softhost {
namespace {

class VmSetup : public TdFixture {};

TEST_F(VmSetup, SplitIrqchipTakesAtMost4096Routes) {
  EXPECT_EQ(enable(create_td(), kvm::KVM_CAP_SPLIT_IRQCHIP, 4097), -EINVAL);
}

TEST_F(VmSetup, SplitIrqchipOnlyOnce) {
  const int vm = create_td();
  EXPECT_EQ(enable(vm, kvm::KVM_CAP_SPLIT_IRQCHIP, 24), 0);
  EXPECT_EQ(enable(vm, kvm::KVM_CAP_SPLIT_IRQCHIP, 24), -EEXIST);
}

TEST_F(VmSetup, SplitIrqchipNotAfterVcpus) {
  const int vm = initialized_td();
  ASSERT_GE(call(vm, kvm::KVM_CREATE_VCPU, 0), 0);
  EXPECT_EQ(enable(vm, kvm::KVM_CAP_SPLIT_IRQCHIP, 24), -EEXIST);
}

TEST_F(VmSetup, TdHasNoFullIrqchip) {
  const int vm = create_td();
  EXPECT_EQ(call(vm, kvm::KVM_CREATE_IRQCHIP), -ENOTTY);
  ASSERT_EQ(enable(vm, kvm::KVM_CAP_SPLIT_IRQCHIP, 24), 0);
  EXPECT_EQ(call(vm, kvm::KVM_CREATE_IRQCHIP), -EEXIST);
  std::array<std::byte, 520> state{};
  EXPECT_EQ(call_with(vm, kvm::KVM_GET_IRQCHIP, state), -ENXIO);
  EXPECT_EQ(call_with(vm, kvm::KVM_SET_IRQCHIP, state), -ENXIO);
  EXPECT_EQ(call_with(vm, kvm::KVM_CREATE_PIT2, state), -ENOENT);
}

TEST_F(VmSetup, ApicBusCycleNeedsAnIrqchipAndNoVcpu) {
  const int bare = create_td();
  EXPECT_EQ(enable(bare, kvm::KVM_CAP_X86_APIC_BUS_CYCLES_NS, 0), -EINVAL);
  EXPECT_EQ(enable(bare, kvm::KVM_CAP_X86_APIC_BUS_CYCLES_NS, 1ULL << 40), -EINVAL);
  EXPECT_EQ(enable(bare, kvm::KVM_CAP_X86_APIC_BUS_CYCLES_NS, 40), -ENXIO);
  const int vm = initialized_td();
  EXPECT_EQ(enable(vm, kvm::KVM_CAP_X86_APIC_BUS_CYCLES_NS, 40), 0);
  ASSERT_GE(call(vm, kvm::KVM_CREATE_VCPU, 0), 0);
  EXPECT_EQ(enable(vm, kvm::KVM_CAP_X86_APIC_BUS_CYCLES_NS, 40), -EINVAL);
}

TEST_F(VmSetup, CapabilitiesRefuseUnknownBits) {
  const int vm = create_td();
  EXPECT_EQ(enable(vm, kvm::KVM_CAP_EXIT_HYPERCALL, 0x2000), -EINVAL);
  EXPECT_EQ(enable(vm, kvm::KVM_CAP_EXIT_HYPERCALL, 0x1000), 0);
  EXPECT_EQ(enable(vm, kvm::KVM_CAP_X2APIC_API, 0x100), -EINVAL);
  EXPECT_EQ(enable(vm, kvm::KVM_CAP_X2APIC_API, 3), 0);
  EXPECT_EQ(enable(vm, 12345, 0), -EINVAL);
}

TEST_F(VmSetup, TscFrequencyIsSetBeforeVcpus) {
  const int vm = initialized_td();
  EXPECT_EQ(call(vm, kvm::KVM_GET_TSC_KHZ), 2'300'000);
  EXPECT_EQ(call(vm, kvm::KVM_SET_TSC_KHZ, 0x7FFFFFFF), -EINVAL);
  EXPECT_EQ(call(vm, kvm::KVM_SET_TSC_KHZ, 1'000'000), 0);
  EXPECT_EQ(call(vm, kvm::KVM_GET_TSC_KHZ), 1'000'000);
  EXPECT_EQ(call(vm, kvm::KVM_SET_TSC_KHZ, 0), 0);
  EXPECT_EQ(call(vm, kvm::KVM_GET_TSC_KHZ), 2'300'000);
  const int vcpu = call(vm, kvm::KVM_CREATE_VCPU, 0);
  EXPECT_EQ(call(vm, kvm::KVM_SET_TSC_KHZ, 1'000'000), -EINVAL);
  EXPECT_EQ(call(vcpu, kvm::KVM_SET_TSC_KHZ, 1'000'000), -EINVAL);
}

TEST_F(VmSetup, BootCpuIsSetBeforeVcpus) {
  const int vm = initialized_td();
  EXPECT_EQ(call(vm, kvm::KVM_SET_BOOT_CPU_ID, 0), 0);
  ASSERT_GE(call(vm, kvm::KVM_CREATE_VCPU, 0), 0);
  EXPECT_EQ(call(vm, kvm::KVM_SET_BOOT_CPU_ID, 0), -EBUSY);
}

TEST_F(VmSetup, RealModePagesHaveNoEffectInTds) {
  EXPECT_EQ(call(create_td(), kvm::KVM_SET_TSS_ADDR, 0xFFFBD000), 0);
}

TEST_F(VmSetup, EncryptedRegionsAreNotRegistered) {
  const int vm = create_td();
  std::array<std::uint64_t, 2> range{};
  for (const auto request : {kvm::KVM_MEMORY_ENCRYPT_REG_REGION, kvm::KVM_MEMORY_ENCRYPT_UNREG_REGION}) {
    EXPECT_EQ(call_with(vm, request, range), -ENOTTY);
    EXPECT_EQ(call(vm, request, 8), -EFAULT);
  }
}

TEST_F(VmSetup, DirtyLogsAreOfSlotsThatAskForThem) {
  const int vm = initialized_td();
  kvm::kvm_userspace_memory_region2 slot = region(0);
  std::array<std::uint64_t, kRamSize / kPageSize / 64> bitmap{};
  kvm::kvm_dirty_log log{
      .slot = 0, .padding1 = 0, .dirty_bitmap = reinterpret_cast<std::uint64_t>(bitmap.data())};
  EXPECT_EQ(call_with(vm, kvm::KVM_GET_DIRTY_LOG, log), -ENOENT);
  ASSERT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, slot), 0);
  EXPECT_EQ(call_with(vm, kvm::KVM_GET_DIRTY_LOG, log), -ENOENT);
  slot.flags = kvm::KVM_MEM_LOG_DIRTY_PAGES;
  ASSERT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, slot), 0);
  EXPECT_EQ(call_with(vm, kvm::KVM_GET_DIRTY_LOG, log), 0);
  EXPECT_EQ(bitmap.front(), ~std::uint64_t{0});
  log.slot = 40000;
  EXPECT_EQ(call_with(vm, kvm::KVM_GET_DIRTY_LOG, log), -EINVAL);
}

TEST_F(VmSetup, GuestMemfdSlotsHaveNoDirtyLog) {
  const int vm = initialized_td();
  auto slot = region(0, create_memfd(vm));
  slot.flags |= kvm::KVM_MEM_LOG_DIRTY_PAGES;
  EXPECT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, slot), -EINVAL);
}

TEST_F(VmSetup, MemoryEndsWithTheProcessorsPhysicalAddresses) {
  const int vm = initialized_td();
  EXPECT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, region(std::uint64_t{1} << 52)), -EINVAL);
  EXPECT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, region((std::uint64_t{1} << 52) - kRamSize)), 0);
}

TEST_F(VmSetup, CreateVcpuChecksIdsAndState) {
  const int fresh = create_td();
  EXPECT_EQ(call(fresh, kvm::KVM_CREATE_VCPU, 4096), -EINVAL);
  EXPECT_EQ(call(fresh, kvm::KVM_CREATE_VCPU, 0), -EIO);  // before INIT_VM
  ASSERT_EQ(init(fresh), 0);
  EXPECT_EQ(call(fresh, kvm::KVM_CREATE_VCPU, 0), -EINVAL);  // no split irqchip
  const int vm = initialized_td();
  EXPECT_GE(call(vm, kvm::KVM_CREATE_VCPU, 0), 0);
  EXPECT_EQ(call(vm, kvm::KVM_CREATE_VCPU, 0), -EEXIST);
}

TEST_F(VmSetup, CreateVcpuStopsAtTheLimit) {
  const int vm = initialized_td();
  const int limit = call(vm, kvm::KVM_CHECK_EXTENSION, kvm::KVM_CAP_MAX_VCPUS);
  for (int id = 0; id < limit; ++id) ASSERT_GE(call(vm, kvm::KVM_CREATE_VCPU, id), 0) << id;
  EXPECT_EQ(call(vm, kvm::KVM_CREATE_VCPU, limit), -EINVAL);
}

TEST_F(VmSetup, NoVcpuAfterFinalize) {
  const int vm = initialized_td();
  initialized_vcpu(vm);
  ASSERT_EQ(command(vm, kvm::KVM_TDX_FINALIZE_VM), 0);
  EXPECT_EQ(call(vm, kvm::KVM_CREATE_VCPU, 1), -EIO);
}

TEST_F(VmSetup, MemoryRegionChecksItsFields) {
  const int vm = create_td();
  const auto set = [&](auto change) {
    auto argument = region(0);
    change(argument);
    return call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, argument);
  };
  EXPECT_EQ(set([](auto& r) { r.flags = 8; }), -EINVAL);
  EXPECT_EQ(set([](auto& r) { r.flags = kvm::KVM_MEM_READONLY; }), -EINVAL);
  EXPECT_EQ(set([](auto& r) { r.guest_phys_addr = 1; }), -EINVAL);
  EXPECT_EQ(set([](auto& r) { r.memory_size = 4095; }), -EINVAL);
  EXPECT_EQ(set([](auto& r) { r.userspace_addr += 8; }), -EINVAL);
  EXPECT_EQ(set([](auto& r) { r.slot = 1 << 16; }), -EINVAL);
  EXPECT_EQ(set([](auto& r) { r.guest_phys_addr = ~0xFFFULL; }), -EINVAL);
  EXPECT_EQ(set([](auto& r) { r.memory_size = 0; }), -EINVAL);  // deletes what is not there
  EXPECT_EQ(set([](auto&) {}), 0);
}

TEST_F(VmSetup, MemoryRegionsDoNotOverlap) {
  const int vm = create_td();
  auto first = region(0);
  auto second = region(kRamSize - 4096);
  second.slot = 1;
  EXPECT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, first), 0);
  EXPECT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, second), -EEXIST);
  first.memory_size = 0;
  EXPECT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, first), 0);
  EXPECT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, second), 0);
}

TEST_F(VmSetup, GuestMemfdSlotsCanOnlyBeDeleted) {
  const int vm = create_td();
  auto slot = region(0, create_memfd(vm));
  EXPECT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, slot), 0);
  EXPECT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, slot), -EINVAL);
  slot.memory_size = 0;
  EXPECT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, slot), 0);
}

TEST_F(VmSetup, GuestMemfdOfASlotIsChecked) {
  const int vm = create_td();
  const auto set = [&](kvm::kvm_userspace_memory_region2 argument) {
    return call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, argument);
  };
  EXPECT_EQ(set(region(0, 1'000'000)), -EBADF);
  EXPECT_EQ(set(region(0, vm)), -EINVAL);                         // no guest_memfd
  EXPECT_EQ(set(region(0, create_memfd(create_td()))), -EINVAL);  // another VM's
  const int memfd = create_memfd(vm);
  auto beyond = region(0, memfd);
  beyond.guest_memfd_offset = 4096;
  EXPECT_EQ(set(beyond), -EINVAL);
  EXPECT_EQ(set(region(0, memfd)), 0);
  auto bound_already = region(kRamSize, memfd);
  bound_already.slot = 1;
  EXPECT_EQ(set(bound_already), -EINVAL);
}

TEST_F(VmSetup, OldMemoryRegionCallKnowsNoGuestMemfd) {
  const int vm = create_td();
  kvm::kvm_userspace_memory_region argument{.slot = 0,
                                            .flags = kvm::KVM_MEM_GUEST_MEMFD,
                                            .guest_phys_addr = 0,
                                            .memory_size = kRamSize,
                                            .userspace_addr = reinterpret_cast<std::uint64_t>(ram)};
  EXPECT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION, argument), -EINVAL);
  argument.flags = 0;
  EXPECT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION, argument), 0);
}

TEST_F(VmSetup, CreateGuestMemfdChecksFlagsAndSize) {
  const int vm = create_td();
  const auto create = [&](std::uint64_t size, std::uint64_t flags) {
    return call_with(vm, kvm::KVM_CREATE_GUEST_MEMFD, kvm::kvm_create_guest_memfd{size, flags, {}});
  };
  EXPECT_EQ(create(0, 0), -EINVAL);
  EXPECT_EQ(create(100, 0), -EINVAL);
  EXPECT_EQ(create(~0xFFFULL, 0), -EINVAL);
  EXPECT_EQ(create(4096, kvm::GUEST_MEMFD_FLAG_INIT_SHARED), -EINVAL);
  EXPECT_GE(create(4096, 0), 0);
}

TEST_F(VmSetup, MemoryAttributesAreChecked) {
  const int vm = create_td();
  const auto set = [&](kvm::kvm_memory_attributes argument) {
    return call_with(vm, kvm::KVM_SET_MEMORY_ATTRIBUTES, argument);
  };
  EXPECT_EQ(set({0, 4096, 8, 1}), -EINVAL);
  EXPECT_EQ(set({0, 4096, 4, 0}), -EINVAL);
  EXPECT_EQ(set({0, 0, 8, 0}), -EINVAL);
  EXPECT_EQ(set({1, 4096, 8, 0}), -EINVAL);
  EXPECT_EQ(set({~0xFFFULL, 8192, 8, 0}), -EINVAL);
  EXPECT_EQ(set({0xFEE00000, 4096, 8, 0}), 0);  // needs no slot
}

TEST_F(VmSetup, InterruptsNeedTheIrqchip) {
  const int vm = create_td();
  EXPECT_EQ(call_with(vm, kvm::KVM_SIGNAL_MSI, kvm::kvm_msi{}), -EINVAL);
  EXPECT_EQ(call_with(vm, kvm::KVM_IRQ_LINE, kvm::kvm_irq_level{1, 1}), -ENXIO);
}

TEST_F(VmSetup, MsiReachesTheVcpuOfItsDestination) {
  const int vm = initialized_td();
  initialized_vcpu(vm);
  const auto send = [&](std::uint32_t destination) {
    return call_with(vm, kvm::KVM_SIGNAL_MSI,
                     kvm::kvm_msi{.address_lo = 0xFEE00000 | destination << 12,
                                  .address_hi = 0,
                                  .data = 0x40,
                                  .flags = 0,
                                  .devid = 0,
                                  .pad = {}});
  };
  EXPECT_EQ(send(0), 1);
  EXPECT_LT(send(7), 0);
}

TEST_F(VmSetup, GsiRoutesAreMsisOnly) {
  const int vm = initialized_td();
  struct {
    kvm::kvm_irq_routing table{1, 0};
    kvm::kvm_irq_routing_entry entry{};
  } routes;
  routes.entry.type = kvm::KVM_IRQ_ROUTING_IRQCHIP;
  EXPECT_EQ(call_with(vm, kvm::KVM_SET_GSI_ROUTING, routes), -EINVAL);
  routes.entry.type = kvm::KVM_IRQ_ROUTING_MSI;
  EXPECT_EQ(call_with(vm, kvm::KVM_SET_GSI_ROUTING, routes), 0);
  routes.table.nr = 5000;
  EXPECT_EQ(call_with(vm, kvm::KVM_SET_GSI_ROUTING, routes), -EINVAL);
}

}  // namespace
}  // namespace virttdx::softhost
