// SPDX-License-Identifier: GPL-2.0-or-later
// Steps on the VM's descriptor.
#include <fmt/format.h>

#include <cstdint>

#include "ioctl_steps.h"

namespace virttdx {
namespace {

std::string create_vcpu(IoctlMachine& machine, const StepArguments& arguments) {
  return machine.create_vcpu(arguments[0]);
}

/// Memory of the caller by number: the machine's own by its parts, or an address that is none of it.
std::uint64_t caller_address(const IoctlMachine& machine, std::uint64_t choice) {
  return choice < IoctlMachine::kMemorySize ? reinterpret_cast<std::uint64_t>(machine.memory()) + choice
                                            : choice;
}

const std::vector<std::vector<std::uint64_t>> kRegionValues = {
    {0, 1, 2, 0x10000, 32764},                                         // slot
    {0, 2, 8, 1},                                                      // flags
    {0x1000, 0x2000, 0x5000, 0x1001, 0xFFFFFFFFFFFFF000, 1ULL << 52},  // guest address
    {0x1000, 0x2000, 0, 0x1800, 1ULL << 44},                           // size
    {0, 0x1000, 0x0801, 0xFFFF800000000000, 0x7FFFFFFFF000},           // caller's address
};

std::string set_memory_region(IoctlMachine& machine, const StepArguments& arguments) {
  kvm::kvm_userspace_memory_region region{};
  region.slot = static_cast<std::uint32_t>(arguments[0]);
  region.flags = static_cast<std::uint32_t>(arguments[1]);
  region.guest_phys_addr = arguments[2];
  region.memory_size = arguments[3];
  region.userspace_addr = caller_address(machine, arguments[4]);
  return machine.set_slot(kvm::KVM_SET_USER_MEMORY_REGION, reinterpret_cast<std::uintptr_t>(&region),
                          region.memory_size);
}

std::string set_memory_region2(IoctlMachine& machine, const StepArguments& arguments) {
  kvm::kvm_userspace_memory_region2 region{};
  region.slot = static_cast<std::uint32_t>(arguments[0]);
  region.flags = static_cast<std::uint32_t>(arguments[1]);
  region.guest_phys_addr = arguments[2];
  region.memory_size = arguments[3];
  region.userspace_addr = caller_address(machine, arguments[4]);
  return machine.set_slot(kvm::KVM_SET_USER_MEMORY_REGION2, reinterpret_cast<std::uintptr_t>(&region),
                          region.memory_size);
}

// A slot with a guest_memfd that is none: nothing open, or a descriptor of another kind.
std::string set_memfd_region(IoctlMachine& machine, const StepArguments& arguments) {
  kvm::kvm_userspace_memory_region2 region{};
  region.slot = 3;
  region.flags = kvm::KVM_MEM_GUEST_MEMFD | static_cast<std::uint32_t>(arguments[1]);
  region.guest_phys_addr = 0x9000;
  region.memory_size = 0x1000;
  region.userspace_addr = caller_address(machine, 0);
  region.guest_memfd_offset = arguments[2];
  region.guest_memfd = static_cast<std::uint32_t>(arguments[0] == 0 ? 9999 : machine.eventfd());
  return machine.set_slot(kvm::KVM_SET_USER_MEMORY_REGION2, reinterpret_cast<std::uintptr_t>(&region),
                          region.memory_size);
}

std::string create_guest_memfd(IoctlMachine& machine, const StepArguments& arguments) {
  kvm::kvm_create_guest_memfd request{};
  request.size = arguments[0];
  request.flags = arguments[1];
  return machine.close_if_descriptor(machine.call_with(machine.vm(), kvm::KVM_CREATE_GUEST_MEMFD, request));
}

std::string set_memory_attributes(IoctlMachine& machine, const StepArguments& arguments) {
  kvm::kvm_memory_attributes request{arguments[0], arguments[1], arguments[2], arguments[3]};
  return answer_text(machine.call_with(machine.vm(), kvm::KVM_SET_MEMORY_ATTRIBUTES, request));
}

std::string enable_cap(IoctlMachine& machine, const StepArguments& arguments) {
  kvm::kvm_enable_cap request{};
  request.cap = static_cast<std::uint32_t>(arguments[0]);
  request.args[0] = arguments[1];
  request.flags = static_cast<std::uint32_t>(arguments[2]);
  return answer_text(machine.call_with(machine.vm(), kvm::KVM_ENABLE_CAP, request));
}

// The frequency is the processor's business.
std::string get_tsc_khz(IoctlMachine& machine, const StepArguments& /*arguments*/) {
  const int khz = machine.call(machine.vm(), kvm::KVM_GET_TSC_KHZ, 0);
  return khz > 0 ? "a frequency" : answer_text(khz);
}

std::string signal_msi(IoctlMachine& machine, const StepArguments& arguments) {
  kvm::kvm_msi message{};
  message.address_lo = 0xFEE00000;
  message.data = 0x40;
  message.flags = static_cast<std::uint32_t>(arguments[0]);
  return answer_text(machine.call_with(machine.vm(), kvm::KVM_SIGNAL_MSI, message));
}

std::string irq_line(IoctlMachine& machine, const StepArguments& arguments) {
  kvm::kvm_irq_level level{static_cast<std::uint32_t>(arguments[0]), 1};
  return answer_text(machine.call_with(machine.vm(), kvm::KVM_IRQ_LINE, level));
}

std::string set_gsi_routing(IoctlMachine& machine, const StepArguments& arguments) {
  std::array<std::uint32_t, 2 + 12> table{};
  table[0] = static_cast<std::uint32_t>(arguments[0]);
  table[1] = static_cast<std::uint32_t>(arguments[1]);
  table[2 + 1] = kvm::KVM_IRQ_ROUTING_MSI;
  return answer_text(machine.call_with(machine.vm(), kvm::KVM_SET_GSI_ROUTING, table[0]));
}

int descriptor_of(const IoctlMachine& machine, std::uint64_t choice) {
  return choice == 0 ? machine.eventfd() : choice == 1 ? 9999 : machine.system();
}

std::string assign_irqfd(IoctlMachine& machine, const StepArguments& arguments) {
  kvm::kvm_irqfd request{};
  request.fd = static_cast<std::uint32_t>(descriptor_of(machine, arguments[0]));
  request.gsi = 5;
  request.flags = static_cast<std::uint32_t>(arguments[1]);
  return answer_text(machine.call_with(machine.vm(), kvm::KVM_IRQFD, request));
}

std::string assign_ioeventfd(IoctlMachine& machine, const StepArguments& arguments) {
  kvm::kvm_ioeventfd request{};
  request.fd = descriptor_of(machine, arguments[0]);
  request.flags = static_cast<std::uint32_t>(arguments[1]);
  request.addr = arguments[2];
  request.len = static_cast<std::uint32_t>(arguments[3]);
  request.datamatch = arguments[4];
  return answer_text(machine.call_with(machine.vm(), kvm::KVM_IOEVENTFD, request));
}

std::string get_dirty_log(IoctlMachine& machine, const StepArguments& arguments) {
  std::array<std::uint64_t, 64> bitmap{};
  std::array<std::uint64_t, 2> request = {arguments[0], reinterpret_cast<std::uint64_t>(bitmap.data())};
  return answer_text(machine.call_with(machine.vm(), kvm::KVM_GET_DIRTY_LOG, request[0]));
}

template <unsigned long Request, std::size_t Size>
std::string zeroed_structure(IoctlMachine& machine, const StepArguments& arguments) {
  std::array<std::byte, Size> structure{};
  const std::uint64_t address =
      arguments[0] == 0 ? reinterpret_cast<std::uint64_t>(structure.data()) : arguments[0];
  return answer_text(machine.call(machine.vm(), Request, address));
}

constexpr std::uint64_t kBad = IoctlMachine::kBadPointer;

}  // namespace

std::vector<StepKind> vm_step_kinds() {
  return {
      {"KVM_CHECK_EXTENSION of the VM",
       {compared_capabilities()},
       plain_call<&IoctlMachine::vm, kvm::KVM_CHECK_EXTENSION>},
      {"KVM_CREATE_VCPU", {{0, 1, 2, 4095, 0x4000, 0xFFFFFFFF}}, create_vcpu},
      {"KVM_SET_USER_MEMORY_REGION", kRegionValues, set_memory_region},
      {"KVM_SET_USER_MEMORY_REGION2", kRegionValues, set_memory_region2},
      {"KVM_SET_USER_MEMORY_REGION2 without guest_memfd", {{0, 1}, {0, 1, 2}, {0, 0x800}}, set_memfd_region},
      {"KVM_CREATE_GUEST_MEMFD",
       {{0x1000, 0x10000, 0, 0x1800, ~0xFFFULL}, {0, 1ULL << 20}},
       create_guest_memfd},
      {"KVM_SET_MEMORY_ATTRIBUTES",
       {{0x1000, 0x1001}, {0x1000, 0, 0x1800}, {0, 8, 1}, {0, 1}},
       set_memory_attributes},
      {"KVM_ENABLE_CAP",
       {{kvm::KVM_CAP_MAX_VCPU_ID, kvm::KVM_CAP_SPLIT_IRQCHIP, kvm::KVM_CAP_X86_APIC_BUS_CYCLES_NS,
         kvm::KVM_CAP_EXIT_HYPERCALL, kvm::KVM_CAP_X2APIC_API, 0xFFFF},
        {4097, 8192, 1ULL << 40},
        {0, 1}},
       enable_cap},
      {"KVM_SET_TSC_KHZ", {{0, 1'000'000, 0x7FFFFFFF}}, plain_call<&IoctlMachine::vm, kvm::KVM_SET_TSC_KHZ>},
      {"KVM_GET_TSC_KHZ", {{0}}, get_tsc_khz},
      {"KVM_SET_BOOT_CPU_ID", {{0, 1, 9999}}, plain_call<&IoctlMachine::vm, kvm::KVM_SET_BOOT_CPU_ID>},
      {"KVM_GET_IRQCHIP", {{0, kBad}}, zeroed_structure<kvm::KVM_GET_IRQCHIP, 520>},
      {"KVM_SET_IRQCHIP", {{0, kBad}}, zeroed_structure<kvm::KVM_SET_IRQCHIP, 520>},
      {"KVM_CREATE_PIT2", {{0, kBad}}, zeroed_structure<kvm::KVM_CREATE_PIT2, 64>},
      {"KVM_SIGNAL_MSI", {{0, 1, 2}}, signal_msi},
      {"KVM_IRQ_LINE", {{0, 24, 5000}}, irq_line},
      {"KVM_SET_GSI_ROUTING", {{0, 1, 5000}, {0, 1}}, set_gsi_routing},
      {"KVM_IRQFD", {{0, 1, 2}, {0, 1, 2, 4}}, assign_irqfd},
      {"KVM_IOEVENTFD",
       {{0, 1, 2}, {0, 1, 2, 4, 5, 8}, {0x8010, 0x10, ~0ULL}, {0, 1, 2, 4, 8, 3}, {0, 7}},
       assign_ioeventfd},
      {"KVM_MEMORY_ENCRYPT_OP", {{0, kBad}}, zeroed_structure<kvm::KVM_MEMORY_ENCRYPT_OP, 24>},
      {"KVM_MEMORY_ENCRYPT_REG_REGION",
       {{0, kBad}},
       zeroed_structure<kvm::KVM_MEMORY_ENCRYPT_REG_REGION, 16>},
      {"KVM_MEMORY_ENCRYPT_UNREG_REGION",
       {{0, kBad}},
       zeroed_structure<kvm::KVM_MEMORY_ENCRYPT_UNREG_REGION, 16>},
      {"KVM_GET_DIRTY_LOG", {{0, 1, 40000}}, get_dirty_log},
      {"KVM_GET_CLOCK", {{0, kBad}}, zeroed_structure<kvm::KVM_GET_CLOCK, 48>},
      {"unknown ioctl of the VM", {{0}}, plain_call<&IoctlMachine::vm, 0xAEFF>},
      {"ioctl of a vCPU on the VM", {{0}}, plain_call<&IoctlMachine::vm, kvm::KVM_RUN>},
  };
}

}  // namespace virttdx
