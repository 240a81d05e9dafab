// SPDX-License-Identifier: GPL-2.0-or-later
// Descriptors and /dev/kvm.
#include <fcntl.h>
#include <unistd.h>

#include "td_fixture.h"

namespace virttdx::softhost {
namespace {

class Host : public TdFixture {};

TEST_F(Host, AnswersKvmsApiVersion) { EXPECT_EQ(call(system, kvm::KVM_GET_API_VERSION), 12); }

TEST_F(Host, OpensNothingButDevKvm) { EXPECT_EQ(host->open("/dev/null", 0), -ENOENT); }

TEST_F(Host, RefusesDescriptorsThatAreNotItsOwn) {
  EXPECT_EQ(call(0, kvm::KVM_GET_API_VERSION), -EBADF);
  EXPECT_EQ(host->close(0), -EBADF);
}

// Each level of KVM has an errno of its own for them.
TEST_F(Host, RefusesUnknownRequests) {
  const int vm = initialized_td();
  EXPECT_EQ(call(system, 0xAEFF), -EINVAL);
  EXPECT_EQ(call(vm, 0xAEFF), -ENOTTY);
  EXPECT_EQ(call(call(vm, kvm::KVM_CREATE_VCPU, 0), 0xAEFF), -EINVAL);
}

TEST_F(Host, CreatesOrdinaryVmsAndTdsOnly) {
  EXPECT_EQ(call(system, kvm::KVM_CHECK_EXTENSION, kvm::KVM_CAP_VM_TYPES), 0x21);
  EXPECT_GE(call(system, kvm::KVM_CREATE_VM, 0), 0);
  EXPECT_GE(call(system, kvm::KVM_CREATE_VM, 5), 0);
  for (const int type : {1, 2, 3, 4, 6}) EXPECT_EQ(call(system, kvm::KVM_CREATE_VM, type), -EINVAL) << type;
}

TEST_F(Host, HasNoReadOnlyMemoryForTds) {
  EXPECT_EQ(call(system, kvm::KVM_CHECK_EXTENSION, kvm::KVM_CAP_READONLY_MEM), 1);
  EXPECT_EQ(call(create_td(), kvm::KVM_CHECK_EXTENSION, kvm::KVM_CAP_READONLY_MEM), 0);
}

TEST_F(Host, ClosesTheRealDescriptorToo) {
  const int vm = create_td();
  EXPECT_GE(fcntl(vm, F_GETFD), 0);
  EXPECT_EQ(host->close(vm), 0);
  EXPECT_EQ(fcntl(vm, F_GETFD), -1);
  EXPECT_EQ(call(vm, kvm::KVM_CHECK_EXTENSION, 0), -EBADF);
}

TEST_F(Host, KeepsTheVmWhileAVcpuIsOpen) {
  const int vm = initialized_td();
  const int vcpu = call(vm, kvm::KVM_CREATE_VCPU, 0);
  EXPECT_EQ(host->close(vm), 0);
  EXPECT_EQ(set_x2apic_cpuid(vcpu), 0);
  EXPECT_EQ(host->close(vcpu), 0);
}

TEST_F(Host, ReportsItsProcessorsAndKvmsLeaves) {
  WithCpuid<kvm::kvm_cpuid2> cpuid(200);
  cpuid.header().nent = 200;
  ASSERT_EQ(call(system, kvm::KVM_GET_SUPPORTED_CPUID, cpuid.address()), 0);
  const std::size_t count = cpuid.header().nent;
  ASSERT_GT(count, 2U);
  EXPECT_EQ(cpuid.entry(count - 2).function, 0x40000000U);
  EXPECT_EQ(std::memcmp(&cpuid.entry(count - 2).ebx, "KVMKVMKVM\0\0\0", 12), 0);
}

TEST_F(Host, GivesTooSmallCpuidBuffersBackWithE2big) {
  WithCpuid<kvm::kvm_cpuid2> cpuid(1);
  cpuid.header().nent = 1;
  EXPECT_EQ(call(system, kvm::KVM_GET_SUPPORTED_CPUID, cpuid.address()), -E2BIG);
}

TEST_F(Host, MapsKvmRunSharedBetweenItsMappings) {
  const int vm = initialized_td();
  const int vcpu = call(vm, kvm::KVM_CREATE_VCPU, 0);
  const auto size = static_cast<std::size_t>(call(system, kvm::KVM_GET_VCPU_MMAP_SIZE));
  ASSERT_GE(size, 4096 + sizeof(kvm::kvm_run));
  void* first = nullptr;
  void* second = nullptr;
  ASSERT_EQ(host->mmap(vcpu, size, &first), 0);
  ASSERT_EQ(host->mmap(vcpu, size, &second), 0);
  static_cast<kvm::kvm_run*>(first)->immediate_exit = 1;
  EXPECT_EQ(static_cast<kvm::kvm_run*>(second)->immediate_exit, 1);
  EXPECT_EQ(host->munmap(first, size), 0);
  EXPECT_EQ(host->munmap(second, size), 0);
}

TEST_F(Host, AnswersEfaultForArgumentsThatCannotBeRead) {
  const int vm = create_td();
  EXPECT_EQ(call(vm, kvm::KVM_ENABLE_CAP, 0), -EFAULT);
  EXPECT_EQ(call(vm, kvm::KVM_MEMORY_ENCRYPT_OP, 8), -EFAULT);
}

TEST_F(Host, GivesNoPrivateMemoryAwayThroughItsDescriptor) {
  const int memfd = create_memfd(create_td());
  EXPECT_LT(write(memfd, "x", 1), 0);
  EXPECT_EQ(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0), MAP_FAILED);
}

}  // namespace
}  // namespace virttdx::softhost
