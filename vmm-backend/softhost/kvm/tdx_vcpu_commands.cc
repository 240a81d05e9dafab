// SPDX-License-Identifier: GPL-2.0-or-later
// KVM_MEMORY_ENCRYPT_OP on a TD's vCPU descriptor: KVM_TDX_INIT_VCPU, _INIT_MEM_REGION, _GET_CPUID (Linux
// Documentation/virt/kvm/x86/intel-tdx.rst), with KVM's order of checks.
#include <array>
#include <cerrno>
#include <vector>

#include "softhost/kvm/caller_memory.h"
#include "softhost/kvm/cpuid_argument.h"
#include "softhost/kvm/vcpu.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint32_t kX2apicFeature = 1U << 21;  // CPUID 1 ECX
constexpr std::uint32_t kExtendedLeaves = 0x80000000;
constexpr std::uint64_t kExtendSize = 256;  // bytes that one TDH.MR.EXTEND measures

int init_vcpu(Vcpu& vcpu, const kvm::kvm_tdx_cmd& command) {
  if (command.flags != 0 || vcpu.td) return -EINVAL;
  if ((vcpu_cpuid(vcpu, 1, 0).ecx & kX2apicFeature) == 0) return -EINVAL;
  const TdxStatus status = vcpu.vm.host.faults.seamcall(FaultPoint::TdhVpInit, [&] {
    auto created = vcpu.vm.td->vp_init(command.data, vcpu.id);
    vcpu.td = std::move(created.vcpu);
    return created.status;
  });
  if (status != tdx::status::kSuccess) {
    vcpu.vm.dead = true;
    return -EIO;
  }
  vcpu.mp_state = kvm::KVM_MP_STATE_RUNNABLE;
  vcpu.kick();  // one that waits in KVM_RUN
  return 0;
}

bool is_valid_region(const Td& td, const kvm::kvm_tdx_init_mem_region& region) {
  if (region.source_addr % kPageSize != 0 || region.gpa % kPageSize != 0 || region.nr_pages == 0)
    return false;
  const std::uint64_t size = region.nr_pages * kPageSize;  // may wrap, as in KVM
  if (region.gpa + size <= region.gpa) return false;
  return td.is_private(region.gpa) && td.is_private(region.gpa + size - 1) && region.source_addr != 0;
}

int measure_page(Vm& vm, std::uint64_t gpa) {
  for (std::uint64_t offset = 0; offset < kPageSize; offset += kExtendSize)
    if (vm.host.faults.seamcall(FaultPoint::TdhMrExtend, [&] { return vm.td->mr_extend(gpa + offset); }) !=
        tdx::status::kSuccess) {
      vm.dead = true;
      return -EIO;
    }
  return 0;
}

constexpr int kTryAgain = 1;

/// 0, -errno, or kTryAgain while the module is busy.
int add_page(Vm& vm, const kvm::kvm_tdx_init_mem_region& region, bool measure) {
  if (const auto fault = vm.host.faults.arrive(FaultPoint::TdxInitMemRegionPage)) {
    if (fault->kills_vm) vm.dead = true;
    return -static_cast<int>(fault->error.value_or(FaultErrno::Eio));
  }
  const std::lock_guard guard(vm.memory_lock);
  const MemorySlot* const slot = vm.slots.find(region.gpa);
  if (slot == nullptr || !slot->private_memory) return -EINVAL;
  if (slot->private_memory->closed()) return -EFAULT;
  std::array<std::byte, kPageSize> source;
  if (const int status = copy_from_caller(source.data(), region.source_addr, source.size()); status != 0)
    return status;
  if (!vm.attributes.is_private(region.gpa)) return -EINVAL;
  if (vm.td->walk_private(region.gpa).state != PageState::Free) return -EIO;
  const TdxStatus status = vm.host.faults.seamcall(FaultPoint::TdhMemPageAdd, [&] {
    return vm.td->mem_page_add(region.gpa, source, slot->private_at(region.gpa));
  });
  if ((status & tdx::status::kClassMask) == tdx::status::kOperandBusy) return kTryAgain;
  if (status != tdx::status::kSuccess) {
    vm.dead = true;
    return -EIO;
  }
  return measure ? measure_page(vm, region.gpa) : 0;
}

int init_mem_region(Vcpu& vcpu, const kvm::kvm_tdx_cmd& command) {
  if (!vcpu.td || (command.flags & ~kvm::KVM_TDX_MEASURE_MEMORY_REGION) != 0) return -EINVAL;
  kvm::kvm_tdx_init_mem_region region{};
  if (const int status = read_argument(command.data, region); status != 0) return status;
  if (!is_valid_region(*vcpu.vm.td, region)) return -EINVAL;
  const bool measure = (command.flags & kvm::KVM_TDX_MEASURE_MEMORY_REGION) != 0;
  const RunSignals signals(std::nullopt);
  int result = 0;
  while (region.nr_pages != 0) {
    if (signals.pending()) {
      result = -EINTR;
      break;
    }
    result = add_page(vcpu.vm, region, measure);
    if (result == kTryAgain) continue;
    if (result != 0) break;
    region.source_addr += kPageSize;
    region.gpa += kPageSize;
    --region.nr_pages;
  }
  // The caller goes on from here after EINTR.
  return write_argument(command.data, region) != 0 ? -EFAULT : result;
}

/// Whether TDH.MNG.RD gives a leaf's CPUID_VALUES.
bool can_read_leaf(Vcpu& vcpu) {
  return vcpu.vm.host.faults.seamcall(FaultPoint::TdhMngRd, [] { return tdx::status::kSuccess; }) ==
         tdx::status::kSuccess;
}

int get_td_cpuid(Vcpu& vcpu, const kvm::kvm_tdx_cmd& command) {
  std::vector<kvm::kvm_cpuid_entry2> entries;
  for (const CpuidEntry& value : vcpu.vm.td->cpuid().values()) {
    if (!can_read_leaf(vcpu)) {
      // The highest leaf of each range says how far to read; any other leaf is left out.
      if (value.function == 0 || value.function == kExtendedLeaves) return -EIO;
      continue;
    }
    kvm::kvm_cpuid_entry2 entry{};
    entry.function = value.function;
    entry.index = value.index;
    entry.flags = value.index_significant ? kvm::KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0;
    entry.eax = value.eax;
    entry.ebx = value.ebx;
    entry.ecx = value.ecx;
    entry.edx = value.edx;
    entries.push_back(entry);
  }
  return write_cpuid_entries(command.data, entries, /*tell_count=*/true);
}

}  // namespace

int tdx_vcpu_command(Vcpu& vcpu, std::uintptr_t argument) {
  Vm& vm = vcpu.vm;
  if (!vm.is_td) return -ENOTTY;
  kvm::kvm_tdx_cmd command{};
  if (const int status = read_argument(argument, command); status != 0) return status;
  if (command.hw_error != 0) return -EINVAL;
  const VmStateLock lock(vm);
  if (vm.td->state() != TdState::Initialized) return -EINVAL;
  switch (command.id) {
    case kvm::KVM_TDX_INIT_VCPU:
      return init_vcpu(vcpu, command);
    case kvm::KVM_TDX_INIT_MEM_REGION:
      return init_mem_region(vcpu, command);
    case kvm::KVM_TDX_GET_CPUID:
      return get_td_cpuid(vcpu, command);
    default:
      return -EINVAL;
  }
}

}  // namespace virttdx::softhost
