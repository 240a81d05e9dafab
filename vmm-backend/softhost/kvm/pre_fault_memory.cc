// SPDX-License-Identifier: GPL-2.0-or-later
// KVM_PRE_FAULT_MEMORY (Linux Documentation/virt/kvm/api.rst): maps memory before the guest touches it.
#include <cerrno>
#include <mutex>
#include <optional>

#include "softhost/kvm/caller_memory.h"
#include "softhost/kvm/private_pages.h"
#include "softhost/kvm/vcpu.h"

namespace virttdx::softhost {
namespace {

bool is_valid(const kvm::kvm_pre_fault_memory& request) {
  return request.flags == 0 && request.gpa % kPageSize == 0 && request.size % kPageSize == 0 &&
         request.gpa + request.size > request.gpa;
}

// One page: 0, or -errno.
int map_page(Vcpu& vcpu, std::uint64_t gpa) {
  Vm& vm = vcpu.vm;
  if (vm.is_td && vm.td->state() != TdState::Runnable) return -EOPNOTSUPP;
  if (vm.is_td && !vm.td->is_private(gpa)) return -EINVAL;  // the SHARED bit is no part of an address here
  const std::lock_guard guard(vm.memory_lock);
  // Memory of a slot is mapped always: there is nothing to do for shared pages.
  if (!vm.is_td || !vm.attributes.is_private(gpa)) return vm.slots.find(gpa) == nullptr ? -ENOENT : 0;
  return add_private_page(vm, gpa, 0) ? 0 : -EFAULT;
}

}  // namespace

int pre_fault_memory(Vcpu& vcpu, std::uintptr_t argument) {
  kvm::kvm_pre_fault_memory request{};
  if (const int status = read_argument(argument, request); status != 0) return status;
  const std::uint64_t wanted = request.size;
  int status = is_valid(request) ? 0 : -EINVAL;
  const RunSignals signals(std::nullopt);
  while (status == 0 && request.size != 0) {
    status = signals.pending() ? -EINTR : map_page(vcpu, request.gpa);
    if (status != 0) break;
    request.gpa += kPageSize;
    request.size -= kPageSize;
  }
  // What is left goes back; some progress is success.
  if (write_argument(argument, request) != 0) return -EFAULT;
  return request.size == wanted ? status : 0;
}

}  // namespace virttdx::softhost
