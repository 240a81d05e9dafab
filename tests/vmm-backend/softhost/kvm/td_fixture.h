// SPDX-License-Identifier: GPL-2.0-or-later
// A software TDX host without CPUs, and short ways to its ioctls.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "kvm/kvm_spec.h"
#include "softhost/kvm/kvm_model.h"

namespace virttdx::softhost {

/// A processor with every feature, 2.3 GHz, 52 physical address bits.
inline CpuidValue every_feature_cpuid(std::uint32_t leaf, std::uint32_t /*subleaf*/) {
  switch (leaf) {
    case 0:
      return {.eax = 0x23, .ebx = 0x756E6547, .ecx = 0x6C65746E, .edx = 0x49656E69};
    case 0x15:
      return {.eax = 1, .ebx = 92, .ecx = 25'000'000, .edx = 0};
    case 0x80000000:
      return {.eax = 0x80000008, .ebx = 0, .ecx = 0, .edx = 0};
    case 0x80000008:
      return {.eax = 0x3934, .ebx = 0, .ecx = 0, .edx = 0};
    default:
      return {.eax = ~0U, .ebx = ~0U, .ecx = ~0U, .edx = ~0U};
  }
}

/// A struct with a kvm_cpuid2 at its end, and the entries that follow it.
template <typename Header>
struct WithCpuid {
  explicit WithCpuid(std::size_t entries) : bytes(sizeof(Header) + entries * sizeof(kvm::kvm_cpuid_entry2)) {}
  Header& header() { return *reinterpret_cast<Header*>(bytes.data()); }
  kvm::kvm_cpuid_entry2& entry(std::size_t i) {
    return reinterpret_cast<kvm::kvm_cpuid_entry2*>(bytes.data() + sizeof(Header))[i];
  }
  std::uint64_t address() const { return reinterpret_cast<std::uint64_t>(bytes.data()); }
  std::vector<std::byte> bytes;
};

inline constexpr std::uint64_t kRamSize = std::uint64_t{4} << 20;
inline constexpr std::uint64_t kSharedBit48 = std::uint64_t{1} << 47;

class TdFixture : public testing::Test {
 protected:
  TdFixture()
      : TdFixture(Processor{every_feature_cpuid, [](CpuEnvironment&) {
                              return Result<std::unique_ptr<CpuEngine>>(
                                  fail(Error::Code::Unsupported, "this processor runs nothing"));
                            }}) {}
  explicit TdFixture(Processor processor)
      : host(create_kvm_model(std::move(processor))), system(host->open("/dev/kvm", 0)) {
    ram = static_cast<std::byte*>(
        mmap(nullptr, kRamSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  }
  ~TdFixture() override { munmap(ram, kRamSize); }

  int call(int fd, unsigned long request, std::uint64_t number = 0) {
    return host->ioctl(fd, request, number);
  }
  template <typename T>
  int call_with(int fd, unsigned long request, T&& argument) {
    return host->ioctl(fd, request, reinterpret_cast<std::uintptr_t>(&argument));
  }
  int enable(int fd, std::uint32_t capability, std::uint64_t argument) {
    kvm::kvm_enable_cap request{};
    request.cap = capability;
    request.args[0] = argument;
    return call_with(fd, kvm::KVM_ENABLE_CAP, request);
  }
  int command(int fd, std::uint32_t id, std::uint64_t data = 0, std::uint32_t flags = 0) {
    last_command = {.id = id, .flags = flags, .data = data, .hw_error = 0};
    return call_with(fd, kvm::KVM_MEMORY_ENCRYPT_OP, last_command);
  }

  int create_td() { return call(system, kvm::KVM_CREATE_VM, kvm::KVM_X86_TDX_VM); }
  /// What a valid INIT_VM needs at least: GPAW 48.
  WithCpuid<kvm::kvm_tdx_init_vm> init_argument() {
    WithCpuid<kvm::kvm_tdx_init_vm> argument(1);
    argument.header().attributes = 0x10000000;
    argument.header().xfam = 3;
    argument.header().cpuid.nent = 1;
    argument.entry(0).function = 0x80000008;
    argument.entry(0).eax = 48 << 16;
    return argument;
  }
  int init(int vm, WithCpuid<kvm::kvm_tdx_init_vm>& argument) {
    return command(vm, kvm::KVM_TDX_INIT_VM, argument.address());
  }
  int init(int vm) {
    auto argument = init_argument();
    return init(vm, argument);
  }
  /// A TD with split irqchip after INIT_VM.
  int initialized_td() {
    const int vm = create_td();
    EXPECT_EQ(enable(vm, kvm::KVM_CAP_SPLIT_IRQCHIP, 24), 0);
    EXPECT_EQ(enable(vm, kvm::KVM_CAP_EXIT_HYPERCALL, 1 << kvm::KVM_HC_MAP_GPA_RANGE), 0);
    EXPECT_EQ(init(vm), 0);
    return vm;
  }
  int set_x2apic_cpuid(int vcpu) {
    WithCpuid<kvm::kvm_cpuid2> cpuid(1);
    cpuid.header().nent = 1;
    cpuid.entry(0).function = 1;
    cpuid.entry(0).ecx = 1 << 21;
    return call(vcpu, kvm::KVM_SET_CPUID2, cpuid.address());
  }
  /// A vCPU of an initialized TD after INIT_VCPU.
  int initialized_vcpu(int vm, std::uint64_t id = 0) {
    const int vcpu = call(vm, kvm::KVM_CREATE_VCPU, id);
    EXPECT_EQ(set_x2apic_cpuid(vcpu), 0);
    EXPECT_EQ(command(vcpu, kvm::KVM_TDX_INIT_VCPU), 0);
    return vcpu;
  }
  int create_memfd(int vm, std::uint64_t size = kRamSize) {
    return call_with(vm, kvm::KVM_CREATE_GUEST_MEMFD,
                     kvm::kvm_create_guest_memfd{.size = size, .flags = 0, .reserved = {}});
  }
  kvm::kvm_userspace_memory_region2 region(std::uint64_t gpa, int memfd = -1) const {
    kvm::kvm_userspace_memory_region2 result{};
    result.guest_phys_addr = gpa;
    result.memory_size = kRamSize;
    result.userspace_addr = reinterpret_cast<std::uint64_t>(ram);
    if (memfd < 0) return result;
    result.flags = kvm::KVM_MEM_GUEST_MEMFD;
    result.guest_memfd = static_cast<std::uint32_t>(memfd);
    return result;
  }
  int set_attributes(int vm, std::uint64_t gpa, std::uint64_t size, std::uint64_t attributes) {
    return call_with(vm, kvm::KVM_SET_MEMORY_ATTRIBUTES,
                     kvm::kvm_memory_attributes{gpa, size, attributes, 0});
  }
  /// All of `ram` as a slot at 0 with private memory.
  void add_private_ram(int vm) {
    ram_memfd = create_memfd(vm);
    EXPECT_EQ(call_with(vm, kvm::KVM_SET_USER_MEMORY_REGION2, region(0, ram_memfd)), 0);
    EXPECT_EQ(set_attributes(vm, 0, kRamSize, kvm::KVM_MEMORY_ATTRIBUTE_PRIVATE), 0);
  }
  int add_pages(int vcpu, kvm::kvm_tdx_init_mem_region& pages, std::uint32_t flags = 0) {
    return command(vcpu, kvm::KVM_TDX_INIT_MEM_REGION, reinterpret_cast<std::uint64_t>(&pages), flags);
  }

  std::unique_ptr<SoftHost> host;
  int system;
  std::byte* ram;
  int ram_memfd = -1;  ///< of add_private_ram()
  kvm::kvm_tdx_cmd last_command{};
};

}  // namespace virttdx::softhost
