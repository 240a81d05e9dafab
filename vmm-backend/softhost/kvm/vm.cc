// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/vm.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "kvm/kvm_spec.h"
#include "softhost/kvm/caller_memory.h"
#include "softhost/kvm/ioctl_table.h"
#include "softhost/kvm/statistics_file.h"
#include "softhost/kvm/vcpu.h"
#include "softhost/module/td_report.h"

namespace virttdx::softhost {
namespace {

// KVM reads the argument before it looks what it is for.
template <int Errno, typename Argument>
int refuse(Vm& /*vm*/, std::uintptr_t argument) {
  Argument ignored;
  const int status = read_argument(argument, ignored);
  return status != 0 ? status : -Errno;
}

using IrqchipState = std::array<std::byte, 520>;
using PitConfig = std::array<std::byte, 64>;
using EncryptedRegion = std::array<std::byte, 16>;

// Without a full in-kernel irqchip there is no PIC and IOAPIC to read.
int create_irqchip(Vm& vm, std::uintptr_t /*argument*/) {
  const std::lock_guard guard(vm.lock);
  return vm.split_irqchip ? -EEXIST : -ENOTTY;
}

// A TD has no real mode that would need these pages: the call has no effect.
int set_real_mode_page(Vm& /*vm*/, std::uintptr_t /*argument*/) { return 0; }

constexpr std::array kVmIoctls = {
    IoctlEntry<Vm>{kvm::KVM_ENABLE_CAP, enable_capability},
    IoctlEntry<Vm>{kvm::KVM_SET_USER_MEMORY_REGION, set_user_memory_region},
    IoctlEntry<Vm>{kvm::KVM_SET_USER_MEMORY_REGION2, set_user_memory_region2},
    IoctlEntry<Vm>{kvm::KVM_SET_MEMORY_ATTRIBUTES, set_memory_attributes},
    IoctlEntry<Vm>{kvm::KVM_MEMORY_ENCRYPT_OP, tdx_vm_command},
    IoctlEntry<Vm>{kvm::KVM_SET_TSC_KHZ, set_vm_tsc_khz},
    IoctlEntry<Vm>{kvm::KVM_GET_TSC_KHZ, get_vm_tsc_khz},
    IoctlEntry<Vm>{kvm::KVM_SET_BOOT_CPU_ID, set_boot_cpu_id},
    IoctlEntry<Vm>{kvm::KVM_SET_GSI_ROUTING, set_gsi_routing},
    IoctlEntry<Vm>{kvm::KVM_SIGNAL_MSI, signal_msi},
    IoctlEntry<Vm>{kvm::KVM_IRQ_LINE, irq_line},
    IoctlEntry<Vm>{kvm::KVM_IRQFD, assign_irqfd},
    IoctlEntry<Vm>{kvm::KVM_IOEVENTFD, assign_ioeventfd},
    IoctlEntry<Vm>{kvm::KVM_CREATE_IRQCHIP, create_irqchip},
    IoctlEntry<Vm>{kvm::KVM_GET_IRQCHIP, refuse<ENXIO, IrqchipState>},
    IoctlEntry<Vm>{kvm::KVM_SET_IRQCHIP, refuse<ENXIO, IrqchipState>},
    IoctlEntry<Vm>{kvm::KVM_CREATE_PIT2, refuse<ENOENT, PitConfig>},
    IoctlEntry<Vm>{kvm::KVM_MEMORY_ENCRYPT_REG_REGION, refuse<ENOTTY, EncryptedRegion>},
    IoctlEntry<Vm>{kvm::KVM_MEMORY_ENCRYPT_UNREG_REGION, refuse<ENOTTY, EncryptedRegion>},
    IoctlEntry<Vm>{kvm::KVM_GET_DIRTY_LOG, get_dirty_log},
    IoctlEntry<Vm>{kvm::KVM_SET_TSS_ADDR, set_real_mode_page},
    IoctlEntry<Vm>{kvm::KVM_SET_IDENTITY_MAP_ADDR, set_real_mode_page},
};

class VmFile : public File {
 public:
  explicit VmFile(std::shared_ptr<Vm> vm) : vm_(std::move(vm)) {}

  int ioctl(unsigned long request, std::uintptr_t argument) override {
    if (vm_->dead) return -EIO;
    switch (request) {
      case kvm::KVM_CHECK_EXTENSION:
        return check_extension(vm_->host.processor, vm_.get(), argument);
      case kvm::KVM_CREATE_VCPU:
        return create_vcpu(vm_, argument);
      case kvm::KVM_CREATE_GUEST_MEMFD:
        return create_guest_memfd(vm_, argument);
      case kvm::KVM_GET_STATS_FD:
        return create_vm_statistics(vm_);
      default:
        return dispatch<Vm>(kVmIoctls, *vm_, request, argument, -ENOTTY);
    }
  }

  void kill_vm() override { vm_->dead = true; }

  const Vm& vm() const { return *vm_; }

 private:
  const std::shared_ptr<Vm> vm_;
};

}  // namespace

Vm::Vm(HostParts& host_parts, bool td_vm)
    : host(host_parts),
      is_td(td_vm),
      td(td_vm ? std::make_unique<Td>(host_parts.module) : nullptr),
      tsc_khz(host_tsc_khz(host_parts.processor)),
      irqfds([this](std::uint32_t gsi) {
        if (const auto message = gsi_routing.route(gsi))
          apic_bus.deliver_msi(message->address_lo, message->address_hi, message->data);
      }) {}

// Before the members go: an eventfd signalled late would raise an interrupt of a vCPU half destroyed.
Vm::~Vm() {
  irqfds.stop();
  release_key_id();
}

int Vm::take_key_id() {
  const std::uint32_t used = host.key_ids_used.fetch_add(1);
  const std::uint32_t limit = host.processor.key_id_limit.value_or(host.processor.key_ids);
  if (used >= host.processor.key_ids || used >= limit) {
    --host.key_ids_used;
    return used >= host.processor.key_ids ? -ENOSPC : -EBUSY;
  }
  has_key_id = true;
  return 0;
}

void Vm::release_key_id() {
  if (std::exchange(has_key_id, false)) --host.key_ids_used;
}

std::uint64_t Vm::tsc_at(std::uint64_t now_ns) const {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(Wide{now_ns - created_ns} * tsc_khz.load() / 1'000'000);
}

std::uint64_t Vm::time_of_tsc(std::uint64_t tsc) const {
  __extension__ using Wide = unsigned __int128;
  const std::uint64_t khz = tsc_khz.load();
  const Wide after_start = khz == 0 ? Wide{0} : (Wide{tsc} * 1'000'000 + khz - 1) / khz;
  const Wide time = after_start + created_ns;
  return time > UINT64_MAX ? UINT64_MAX : static_cast<std::uint64_t>(time);
}

void Vm::remove_private_pages(GpaRange range) {
  if (!td || td->state() == TdState::Uninitialized) return;
  td->mem_page_remove(range.base().value, range.size());
  invalidate(range);
  slots.for_each([&](const MemorySlot& slot) {
    if (!slot.private_memory || !slot.range.overlaps(range)) return;
    const std::uint64_t first = std::max(slot.range.base().value, range.base().value);
    const std::uint64_t end = std::min(slot.range.end().value, range.end().value);
    slot.private_memory->discard(slot.private_offset_at(first), end - first);
  });
}

void Vm::invalidate(GpaRange range) {
  for (const auto& vcpu : vcpus) vcpu->invalidate(range);
  for (const auto& vcpu : vcpus) vcpu->wait_until_invalidated();
}

VmStateLock::VmStateLock(Vm& vm) : vm_(vm.lock) {
  vcpus_.reserve(vm.vcpus.size());
  for (const auto& vcpu : vm.vcpus) vcpus_.emplace_back(vcpu->mutex);
}

std::shared_ptr<File> make_vm_file(std::shared_ptr<Vm> vm) { return std::make_shared<VmFile>(std::move(vm)); }

std::optional<MeasurementValue> vm_measurement(const File& file) {
  const auto* const vm_file = dynamic_cast<const VmFile*>(&file);
  if (vm_file == nullptr || !vm_file->vm().td) return std::nullopt;
  return vm_file->vm().td->mrtd();
}

std::optional<std::vector<std::byte>> vm_td_report(const File& file) {
  if (!vm_measurement(file)) return std::nullopt;
  constexpr std::array<std::byte, tdx::report::kDataSize> kNoData{};
  const auto report = make_td_report(*dynamic_cast<const VmFile&>(file).vm().td, kNoData);
  return std::vector(report.begin(), report.end());
}

}  // namespace virttdx::softhost
