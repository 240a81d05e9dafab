// SPDX-License-Identifier: GPL-2.0-or-later
// TDVMCALL<MapGPA>, which KVM hands to the monitor as its hypercall KVM_HC_MAP_GPA_RANGE.
#include <algorithm>
#include <cerrno>

#include "softhost/kvm/td_vmcall.h"
#include "softhost/kvm/vcpu.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint64_t kChunk = 2 * 1024 * 1024;

VmCallEnd refuse(VmCall& call, std::uint64_t status, std::uint64_t gpa) {
  call.out[kR11] = gpa;
  return call.answer(status);
}

VmCallEnd complete_chunk(VmCall& call);

// Chunks count from the start of the range, not from multiples of 2 MiB.
VmCallEnd begin_chunk(VmCall& call) {
  const std::uint64_t shared_bit = call.vcpu.vm.td->shared_bit();
  const std::uint64_t end = call.in[kR12] + call.in[kR13];
  kvm::kvm_run& run = call.vcpu.run();
  run.exit_reason = kvm::KVM_EXIT_HYPERCALL;
  run.hypercall.nr = kvm::KVM_HC_MAP_GPA_RANGE;
  run.hypercall.args[0] = call.next_gpa & ~shared_bit;
  run.hypercall.args[1] = std::min(end - call.next_gpa, kChunk) / kPageSize;
  run.hypercall.args[2] = (call.next_gpa & shared_bit) == 0 ? kvm::KVM_MAP_GPA_RANGE_ENCRYPTED : 0;
  run.hypercall.ret = 0;
  run.hypercall.flags = kvm::KVM_EXIT_HYPERCALL_LONG_MODE;
  call.complete = complete_chunk;
  return VmCallEnd::Exit;
}

VmCallEnd complete_chunk(VmCall& call) {
  switch (call.vcpu.run().hypercall.ret) {
    case 0:
      break;
    case EAGAIN:
      return refuse(call, vmcall::kRetry, call.next_gpa);
    case EINVAL:
      return refuse(call, vmcall::kInvalidOperand, call.next_gpa);
    default:
      return VmCallEnd::Failed;
  }
  const std::uint64_t end = call.in[kR12] + call.in[kR13];
  call.next_gpa += std::min(end - call.next_gpa, kChunk);
  if (call.next_gpa == end) return call.answer(vmcall::kSuccess);
  // A long conversion must not hold up an interrupt: the guest takes it, then asks for the rest.
  if (call.vcpu.apic->nmi_pending() || call.vcpu.apic->pending())
    return refuse(call, vmcall::kRetry, call.next_gpa);
  return begin_chunk(call);
}

bool is_legal_range(const Td& td, std::uint64_t gpa, std::uint64_t size) {
  std::uint64_t end = 0;
  if (size == 0 || __builtin_add_overflow(gpa, size, &end)) return false;
  if ((end - 1) >> td.gpaw() != 0) return false;
  return td.is_private(gpa) == td.is_private(end - 1);
}

}  // namespace

VmCallEnd vmcall_map_gpa(VmCall& call) {
  const std::uint64_t gpa = call.in[kR12];
  const std::uint64_t size = call.in[kR13];
  const Vm& vm = call.vcpu.vm;
  if ((vm.hypercall_exits >> kvm::KVM_HC_MAP_GPA_RANGE & 1) == 0)
    return call.answer(vmcall::kSubfunctionUnsupported);
  if (!is_legal_range(*vm.td, gpa, size)) return refuse(call, vmcall::kInvalidOperand, gpa);
  if (gpa % kPageSize != 0 || size % kPageSize != 0) return refuse(call, vmcall::kAlignError, gpa);
  call.next_gpa = gpa;
  return begin_chunk(call);
}

}  // namespace virttdx::softhost
