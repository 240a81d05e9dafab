// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/gsi_routing.h"

#include <cerrno>
#include <utility>
#include <vector>

#include "kvm/kvm_spec.h"
#include "softhost/kvm/caller_memory.h"
#include "softhost/kvm/vm.h"

namespace virttdx::softhost {
namespace {

bool has_irqchip(Vm& vm) {
  const std::lock_guard guard(vm.lock);
  return vm.split_irqchip;
}

// With 32-bit ids, the low byte of the upper half of the address is reserved.
bool is_valid_message(Vm& vm, std::uint32_t address_hi) {
  const std::lock_guard guard(vm.lock);
  return (vm.x2apic_api & kvm::KVM_X2APIC_API_USE_32BIT_IDS) == 0 || (address_hi & 0xFF) == 0;
}

}  // namespace

void GsiRouting::replace(std::map<std::uint32_t, MsiMessage> routes) {
  const std::lock_guard guard(mutex_);
  routes_ = std::move(routes);
}

std::optional<MsiMessage> GsiRouting::route(std::uint32_t gsi) const {
  const std::lock_guard guard(mutex_);
  const auto found = routes_.find(gsi);
  if (found == routes_.end()) return std::nullopt;
  return found->second;
}

int set_gsi_routing(Vm& vm, std::uintptr_t argument) {
  kvm::kvm_irq_routing table{};
  if (const int status = read_argument(argument, table); status != 0) return status;
  if (!has_irqchip(vm)) return -EINVAL;
  if (table.nr > kvm::KVM_MAX_IRQ_ROUTES || table.flags != 0) return -EINVAL;
  std::vector<kvm::kvm_irq_routing_entry> entries(table.nr);
  const std::size_t size = entries.size() * sizeof(kvm::kvm_irq_routing_entry);
  if (const int status = copy_from_caller(entries.data(), argument + sizeof(table), size); status != 0)
    return status;
  std::map<std::uint32_t, MsiMessage> routes;
  for (const auto& entry : entries) {
    // Pins of an in-kernel PIC or IOAPIC cannot be routed to: only the split irqchip exists here.
    if (entry.type != kvm::KVM_IRQ_ROUTING_MSI || entry.flags != 0) return -EINVAL;
    if (entry.gsi >= kvm::KVM_MAX_IRQ_ROUTES || !is_valid_message(vm, entry.u.msi.address_hi)) return -EINVAL;
    routes[entry.gsi] = {entry.u.msi.address_lo, entry.u.msi.address_hi, entry.u.msi.data};
  }
  vm.gsi_routing.replace(std::move(routes));
  return 0;
}

int signal_msi(Vm& vm, std::uintptr_t argument) {
  kvm::kvm_msi msi{};
  if (const int status = read_argument(argument, msi); status != 0) return status;
  if (!has_irqchip(vm) || msi.flags != 0 || !is_valid_message(vm, msi.address_hi)) return -EINVAL;
  const unsigned delivered = vm.apic_bus.deliver_msi(msi.address_lo, msi.address_hi, msi.data);
  return delivered == 0 ? -EPERM : static_cast<int>(delivered);  // KVM's -1
}

int irq_line(Vm& vm, std::uintptr_t argument) {
  kvm::kvm_irq_level line{};
  if (const int status = read_argument(argument, line); status != 0) return status;
  if (!has_irqchip(vm)) return -ENXIO;
  if (line.level == 0) return 0;
  if (const auto message = vm.gsi_routing.route(line.irq))
    vm.apic_bus.deliver_msi(message->address_lo, message->address_hi, message->data);
  return 0;
}

}  // namespace virttdx::softhost
