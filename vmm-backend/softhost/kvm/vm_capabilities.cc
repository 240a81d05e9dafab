// SPDX-License-Identifier: GPL-2.0-or-later
// KVM_CHECK_EXTENSION and KVM_ENABLE_CAP. Values: Linux Documentation/virt/kvm/api.rst.
#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>

#include "kvm/kvm_spec.h"
#include "softhost/kvm/caller_memory.h"
#include "softhost/kvm/vm.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint64_t kX2apicFlags =
    kvm::KVM_X2APIC_API_USE_32BIT_IDS | kvm::KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK;
constexpr std::uint64_t kHypercallExits = std::uint64_t{1} << kvm::KVM_HC_MAP_GPA_RANGE;

struct Capability {
  std::uint32_t number;
  int system, td, ordinary;  // the answer on /dev/kvm, on a TD's and on an ordinary VM's descriptor
};

constexpr Capability everywhere(std::uint32_t number, int value) { return {number, value, value, value}; }

constexpr std::array kCapabilities = {
    everywhere(kvm::KVM_CAP_USER_MEMORY, 1),
    everywhere(kvm::KVM_CAP_USER_MEMORY2, 1),
    everywhere(kvm::KVM_CAP_NR_MEMSLOTS, kUserMemorySlots),
    everywhere(kvm::KVM_CAP_MULTI_ADDRESS_SPACE, 1),
    everywhere(kvm::KVM_CAP_MAX_VCPU_ID, kMaxVcpuIds),
    everywhere(kvm::KVM_CAP_IMMEDIATE_EXIT, 1),
    everywhere(kvm::KVM_CAP_ENABLE_CAP_VM, 1),
    everywhere(kvm::KVM_CAP_SYSTEM_EVENT_DATA, 1),
    everywhere(kvm::KVM_CAP_MEMORY_FAULT_INFO, 1),
    everywhere(kvm::KVM_CAP_IOEVENTFD, 1),
    everywhere(kvm::KVM_CAP_GET_TSC_KHZ, 1),
    everywhere(kvm::KVM_CAP_TSC_CONTROL, 1),
    everywhere(kvm::KVM_CAP_VM_TSC_CONTROL, 1),
    everywhere(kvm::KVM_CAP_SET_BOOT_CPU_ID, 1),
    everywhere(kvm::KVM_CAP_BINARY_STATS_FD, 1),
    Capability{kvm::KVM_CAP_READONLY_MEM, 1, 0, 1},
    Capability{kvm::KVM_CAP_MEMORY_ATTRIBUTES, static_cast<int>(kvm::KVM_MEMORY_ATTRIBUTE_PRIVATE),
               static_cast<int>(kvm::KVM_MEMORY_ATTRIBUTE_PRIVATE), 0},
    everywhere(kvm::KVM_CAP_GUEST_MEMFD, 1),
    Capability{kvm::KVM_CAP_PRE_FAULT_MEMORY, 1, 1, 1},
    Capability{kvm::KVM_CAP_SPLIT_IRQCHIP, 1, 1, 0},
    Capability{kvm::KVM_CAP_X2APIC_API, static_cast<int>(kX2apicFlags), static_cast<int>(kX2apicFlags), 0},
    Capability{kvm::KVM_CAP_X86_APIC_BUS_CYCLES_NS, 1, 1, 0},
    Capability{kvm::KVM_CAP_TSC_DEADLINE_TIMER, 1, 1, 0},
    Capability{kvm::KVM_CAP_EXIT_HYPERCALL, static_cast<int>(kHypercallExits),
               static_cast<int>(kHypercallExits), 0},
    Capability{kvm::KVM_CAP_SIGNAL_MSI, 1, 1, 0},
    Capability{kvm::KVM_CAP_IRQFD, 1, 1, 0},
    Capability{kvm::KVM_CAP_IRQ_ROUTING, kvm::KVM_MAX_IRQ_ROUTES, kvm::KVM_MAX_IRQ_ROUTES, 0},
};

// The functions below run under Vm::lock.

int enable_split_irqchip(Vm& vm, std::uint64_t routes) {
  if (!vm.is_td || routes > kvm::KVM_MAX_IRQ_ROUTES) return -EINVAL;
  if (vm.split_irqchip || !vm.vcpus.empty()) return -EEXIST;
  vm.split_irqchip = true;
  return 0;
}

int enable_hypercall_exits(Vm& vm, std::uint64_t mask) {
  if (!vm.is_td || (mask & ~kHypercallExits) != 0) return -EINVAL;
  vm.hypercall_exits = mask;
  return 0;
}

int enable_x2apic_api(Vm& vm, std::uint64_t flags) {
  if (!vm.is_td || (flags & ~kX2apicFlags) != 0) return -EINVAL;
  vm.x2apic_api |= flags;
  return 0;
}

int set_apic_bus_cycle(Vm& vm, std::uint64_t cycle_ns) {
  // The longest timer, 2^32 - 1 counts with divider 128, must fit into 64 bits of nanoseconds.
  constexpr std::uint64_t kLongestCount = std::uint64_t{std::numeric_limits<std::uint32_t>::max()} * 128;
  if (cycle_ns == 0 || cycle_ns > std::numeric_limits<std::uint64_t>::max() / kLongestCount) return -EINVAL;
  if (!vm.split_irqchip) return -ENXIO;
  if (!vm.vcpus.empty()) return -EINVAL;
  vm.apic_bus_cycle_ns = cycle_ns;
  return 0;
}

int set_max_vcpu_id(Vm& vm, std::uint64_t limit) {
  if (limit > kMaxVcpuIds || vm.boot_cpu_id > limit) return -EINVAL;
  if (vm.max_vcpu_ids != 0) return vm.max_vcpu_ids == limit ? 0 : -EINVAL;
  vm.max_vcpu_ids = static_cast<std::uint32_t>(limit);
  return 0;
}

struct Enabler {
  std::uint32_t number;
  int (*enable)(Vm& vm, std::uint64_t argument);
};

constexpr std::array kEnablers = {
    Enabler{kvm::KVM_CAP_SPLIT_IRQCHIP, enable_split_irqchip},
    Enabler{kvm::KVM_CAP_EXIT_HYPERCALL, enable_hypercall_exits},
    Enabler{kvm::KVM_CAP_X2APIC_API, enable_x2apic_api},
    Enabler{kvm::KVM_CAP_X86_APIC_BUS_CYCLES_NS, set_apic_bus_cycle},
    Enabler{kvm::KVM_CAP_MAX_VCPU_ID, set_max_vcpu_id},
};

}  // namespace

int check_extension(const Processor& processor, const Vm* vm, std::uintptr_t capability) {
  const bool is_td = vm != nullptr && vm->is_td;
  if (capability == kvm::KVM_CAP_VM_TYPES)
    return 1 << kvm::KVM_X86_DEFAULT_VM | (processor.tdx ? 1 << kvm::KVM_X86_TDX_VM : 0);
  if (capability == kvm::KVM_CAP_NR_VCPUS || (is_td && capability == kvm::KVM_CAP_MAX_VCPUS))
    return static_cast<int>(processor.present_cpus);
  if (capability == kvm::KVM_CAP_MAX_VCPUS) return kMaxVcpus;
  for (const auto& entry : kCapabilities) {
    if (entry.number != capability) continue;
    if (vm == nullptr) return entry.system;
    return is_td ? entry.td : entry.ordinary;
  }
  return 0;
}

int enable_capability(Vm& vm, std::uintptr_t argument) {
  kvm::kvm_enable_cap request{};
  if (const int status = read_argument(argument, request); status != 0) return status;
  if (request.flags != 0) return -EINVAL;
  const std::lock_guard guard(vm.lock);
  for (const auto& enabler : kEnablers)
    if (enabler.number == request.cap) return enabler.enable(vm, request.args[0]);
  return -EINVAL;
}

int set_vm_tsc_khz(Vm& vm, std::uintptr_t khz) {
  const auto wanted = static_cast<std::uint32_t>(khz);
  if (wanted >= kMaxGuestTscKhz) return -EINVAL;
  const std::lock_guard guard(vm.lock);
  if (!vm.vcpus.empty()) return -EINVAL;
  vm.tsc_khz = wanted == 0 ? host_tsc_khz(vm.host.processor) : wanted;
  return 0;
}

int get_vm_tsc_khz(Vm& vm, std::uintptr_t /*argument*/) { return static_cast<int>(vm.tsc_khz.load()); }

int set_boot_cpu_id(Vm& vm, std::uintptr_t id) {
  const std::lock_guard guard(vm.lock);
  if (!vm.vcpus.empty()) return -EBUSY;
  const std::uint32_t limit = vm.max_vcpu_ids == 0 ? kMaxVcpuIds : vm.max_vcpu_ids;
  if (id > limit) return -EINVAL;
  vm.boot_cpu_id = static_cast<std::uint32_t>(id);
  return 0;
}

}  // namespace virttdx::softhost
