// SPDX-License-Identifier: GPL-2.0-or-later
#include "ioctl_steps.h"

#include <fmt/format.h>

namespace virttdx {
namespace {

std::string get_supported_cpuid(IoctlMachine& machine, const StepArguments& arguments) {
  if (arguments[0] == IoctlMachine::kBadPointer)
    return answer_text(machine.call(machine.system(), kvm::KVM_GET_SUPPORTED_CPUID, arguments[0]));
  std::vector<std::uint32_t> list(2 + 10 * 300);
  list[0] = static_cast<std::uint32_t>(arguments[0]);
  const int answer = machine.call_with(machine.system(), kvm::KVM_GET_SUPPORTED_CPUID, list[0]);
  // Which leaves there are is the processor's business.
  return fmt::format("{}{}", answer_text(answer), answer < 0 || list[0] > 10 ? "" : ", few leaves");
}

// Its size is the kernel's business.
std::string get_vcpu_mmap_size(IoctlMachine& machine, const StepArguments& arguments) {
  const int size = machine.call(machine.system(), kvm::KVM_GET_VCPU_MMAP_SIZE, arguments[0]);
  return size >= 2 * 4096 ? "enough" : answer_text(size);
}

std::string create_another_vm(IoctlMachine& machine, const StepArguments& arguments) {
  return machine.close_if_descriptor(machine.call(machine.system(), kvm::KVM_CREATE_VM, arguments[0]));
}

}  // namespace

const std::vector<std::uint64_t>& compared_capabilities() {
  static const std::vector<std::uint64_t> all = {kvm::KVM_CAP_USER_MEMORY,
                                                 kvm::KVM_CAP_USER_MEMORY2,
                                                 kvm::KVM_CAP_NR_MEMSLOTS,
                                                 kvm::KVM_CAP_MAX_VCPUS,
                                                 kvm::KVM_CAP_MAX_VCPU_ID,
                                                 kvm::KVM_CAP_IMMEDIATE_EXIT,
                                                 kvm::KVM_CAP_ENABLE_CAP_VM,
                                                 kvm::KVM_CAP_SYSTEM_EVENT_DATA,
                                                 kvm::KVM_CAP_MEMORY_FAULT_INFO,
                                                 kvm::KVM_CAP_IOEVENTFD,
                                                 kvm::KVM_CAP_GET_TSC_KHZ,
                                                 kvm::KVM_CAP_TSC_CONTROL,
                                                 kvm::KVM_CAP_VM_TSC_CONTROL,
                                                 kvm::KVM_CAP_SET_BOOT_CPU_ID,
                                                 kvm::KVM_CAP_READONLY_MEM,
                                                 kvm::KVM_CAP_MEMORY_ATTRIBUTES,
                                                 kvm::KVM_CAP_GUEST_MEMFD,
                                                 kvm::KVM_CAP_SPLIT_IRQCHIP,
                                                 kvm::KVM_CAP_X2APIC_API,
                                                 kvm::KVM_CAP_EXIT_HYPERCALL,
                                                 kvm::KVM_CAP_SIGNAL_MSI,
                                                 kvm::KVM_CAP_IRQFD,
                                                 kvm::KVM_CAP_IRQ_ROUTING,
                                                 kvm::KVM_CAP_MULTI_ADDRESS_SPACE,
                                                 kvm::KVM_CAP_PRE_FAULT_MEMORY,
                                                 kvm::KVM_CAP_X86_APIC_BUS_CYCLES_NS,
                                                 kvm::KVM_CAP_TSC_DEADLINE_TIMER,
                                                 kvm::KVM_CAP_GUEST_MEMFD_FLAGS,
                                                 0xFFFF};
  return all;
}

std::vector<StepKind> system_step_kinds() {
  return {
      {"KVM_GET_API_VERSION", {{0, 1}}, plain_call<&IoctlMachine::system, kvm::KVM_GET_API_VERSION>},
      {"KVM_CHECK_EXTENSION of the system",
       {compared_capabilities()},
       plain_call<&IoctlMachine::system, kvm::KVM_CHECK_EXTENSION>},
      {"KVM_GET_VCPU_MMAP_SIZE", {{0, 1}}, get_vcpu_mmap_size},
      {"KVM_GET_SUPPORTED_CPUID", {{256, 300, 1, 0, IoctlMachine::kBadPointer}}, get_supported_cpuid},
      {"KVM_CREATE_VM", {{0, 6, 99, 1ULL << 32}}, create_another_vm},
      {"unknown ioctl of the system", {{0}}, plain_call<&IoctlMachine::system, 0xAEFF>},
      {"ioctl of a VM on the system", {{0}}, plain_call<&IoctlMachine::system, kvm::KVM_CREATE_VCPU>},
  };
}

const std::vector<StepKind>& step_kinds() {
  static const std::vector<StepKind> all = [] {
    std::vector<StepKind> kinds = system_step_kinds();
    for (auto& kind : vm_step_kinds()) kinds.push_back(std::move(kind));
    for (auto& kind : vcpu_step_kinds()) kinds.push_back(std::move(kind));
    return kinds;
  }();
  return all;
}

StepArguments Step::arguments() const {
  StepArguments result{};
  const auto& values = step_kinds()[kind].values;
  for (std::size_t i = 0; i < values.size(); ++i) result[i] = values[i][choice[i] % values[i].size()];
  return result;
}

std::string Step::text() const {
  std::string result = step_kinds()[kind].name;
  const StepArguments values = arguments();
  for (std::size_t i = 0; i < step_kinds()[kind].values.size(); ++i)
    result += fmt::format(" {:#x}", values[i]);
  return result;
}

}  // namespace virttdx
