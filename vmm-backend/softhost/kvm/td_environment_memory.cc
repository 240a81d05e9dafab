// SPDX-License-Identifier: GPL-2.0-or-later
// EPT violations of a TD as KVM resolves them.
#include <cerrno>
#include <mutex>
#include <shared_mutex>

#include "softhost/kvm/private_pages.h"
#include "softhost/kvm/td_environment.h"
#include "softhost/kvm/vcpu.h"
#include "support/log.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint64_t kLargePage = std::uint64_t{2} << 20;

std::uint64_t page_base(std::uint64_t gpa) { return gpa & ~(kPageSize - 1); }

// 2 MiB at once need a slot and the PRIVATE attribute over all of them.
bool can_add_large_page(const Vm& vm, const MemorySlot& slot, std::uint64_t gpa) {
  const auto range = GpaRange::create({gpa & ~(kLargePage - 1)}, kLargePage);
  return range && slot.range.contains(*range) && vm.attributes.is_all_private(*range);
}

}  // namespace

PageAnswer TdEnvironment::page(std::uint64_t gpa, AccessKind /*access*/) {
  const Td& td = *vcpu_.vm.td;
  if (gpa >> td.gpaw() != 0) return {.kind = PageAnswer::Kind::Rsvd};
  return td.is_private(gpa) ? private_page(gpa) : shared_page(gpa & ~td.shared_bit());
}

PageAnswer TdEnvironment::shared_page(std::uint64_t gpa) {
  Vm& vm = vcpu_.vm;
  const std::shared_lock guard(vm.memory_lock);
  if (vm.attributes.is_private(gpa)) {
    ++vcpu_.counters.exits;
    ++vcpu_.counters.pf_taken;
    exit_memory_fault(gpa, false);
    return {.kind = PageAnswer::Kind::Exit};
  }
  const MemorySlot* const slot = vm.slots.find(gpa);
  if (slot == nullptr) return {.kind = PageAnswer::Kind::Ve};
  const std::uint64_t base = page_base(gpa);
  return {.kind = PageAnswer::Kind::Memory,
          .host = slot->shared_at(base),
          .span_before = base - slot->range.base().value,
          .span_after = slot->range.end().value - base};
}

PageAnswer TdEnvironment::private_page(std::uint64_t gpa) {
  for (;;) {
    PrivatePage page;
    switch (vcpu_.td->access_private(gpa, page)) {
      case PrivateAccess::Memory:
        return accepted_page(gpa, page.host);
      case PrivateAccess::Ve:
        return {.kind = PageAnswer::Kind::Ve};
      case PrivateAccess::PendingTdExit:
        log::error(
            "software TDX host: vCPU {}: access to private page {:#x}, which the guest has not accepted",
            vcpu_.id, page_base(gpa));
        kill_vm();
        return {.kind = PageAnswer::Kind::Exit};
      case PrivateAccess::EptViolation:
        if (!add_private_page(gpa, 0)) return {.kind = PageAnswer::Kind::Exit};
    }
  }
}

// The span is all of the guest_memfd: pages that the guest has not accepted lie in it, but the engine reaches
// none without asking for it.
PageAnswer TdEnvironment::accepted_page(std::uint64_t gpa, std::byte* host) {
  PageAnswer answer{.kind = PageAnswer::Kind::Memory, .host = host};
  const std::shared_lock guard(vcpu_.vm.memory_lock);
  const MemorySlot* const slot = vcpu_.vm.slots.find(gpa);
  if (slot == nullptr || !slot->private_memory) return answer;
  answer.span_before = slot->private_offset_at(page_base(gpa));
  answer.span_after = slot->private_memory->size() - answer.span_before;
  return answer;
}

bool TdEnvironment::add_private_page(std::uint64_t gpa, unsigned level) {
  ++vcpu_.counters.exits;
  ++vcpu_.counters.pf_taken;
  const std::lock_guard guard(vcpu_.vm.memory_lock);
  if (softhost::add_private_page(vcpu_.vm, gpa, level)) {
    ++vcpu_.counters.pf_fixed;
    return true;
  }
  exit_memory_fault(gpa, true);
  return false;
}

bool add_private_page(Vm& vm, std::uint64_t gpa, unsigned level) {
  const MemorySlot* const slot = vm.slots.find(gpa);
  if (!vm.attributes.is_private(gpa) || slot == nullptr || !slot->private_memory ||
      slot->private_memory->closed())
    return false;
  // Memory of a guest_memfd is zero whenever no page of a TD lies in it: removal discards it.
  if (level == 1 && can_add_large_page(vm, *slot, gpa)) {
    const std::uint64_t base = gpa & ~(kLargePage - 1);
    if (vm.td->mem_page_aug(base, 1, slot->private_at(base), true) == tdx::status::kSuccess) return true;
  }
  const std::uint64_t base = page_base(gpa);
  // Another vCPU may have added it meanwhile: then the access succeeds when it is tried again.
  vm.td->mem_page_aug(base, 0, slot->private_at(base), true);
  return true;
}

void TdEnvironment::exit_memory_fault(std::uint64_t gpa, bool is_private) {
  kvm::kvm_run& run = vcpu_.run();
  run.exit_reason = kvm::KVM_EXIT_MEMORY_FAULT;
  run.memory_fault.flags = is_private ? kvm::KVM_MEMORY_EXIT_FLAG_PRIVATE : 0;
  run.memory_fault.gpa = page_base(gpa);
  run.memory_fault.size = kPageSize;
  return_to_monitor(-EFAULT);
}

void TdEnvironment::kill_vm() {
  vcpu_.vm.dead = true;
  return_to_monitor(-EIO);
}

}  // namespace virttdx::softhost
