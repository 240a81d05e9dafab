// SPDX-License-Identifier: GPL-2.0-or-later
// Memory of a VM: slots, guest_memfds, private and shared (Linux Documentation/virt/kvm/api.rst).
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <utility>

#include "kvm/kvm_spec.h"
#include "softhost/kvm/caller_memory.h"
#include "softhost/kvm/vm.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint64_t kUserAddressEnd = 0x7FFFFFFFF000;
constexpr std::uint64_t kMaxSlotPages = (std::uint64_t{1} << 31) - 1;

unsigned physical_address_bits(const Vm& vm) { return vm.host.module.native(0x80000008, 0).eax & 0xFF; }

bool is_page_aligned(std::uint64_t value) { return value % kPageSize == 0; }

/// What a guest_memfd's descriptor stands for. Closing it takes its pages away from the guest.
class GuestMemfdFile : public File {
 public:
  GuestMemfdFile(std::shared_ptr<Vm> vm, std::shared_ptr<GuestMemory> memory)
      : vm_(std::move(vm)), memory_(std::move(memory)) {}

  ~GuestMemfdFile() override {
    const std::lock_guard guard(vm_->lock);
    const std::lock_guard memory_guard(vm_->memory_lock);
    memory_->close();
    remove_pages(0, memory_->size());
  }

  int ioctl(unsigned long /*request*/, std::uintptr_t /*argument*/) override { return -ENOTTY; }

  int punch_hole(std::uint64_t offset, std::uint64_t size) override {
    std::uint64_t end = 0;
    if (size == 0 || !is_page_aligned(offset) || !is_page_aligned(size) ||
        __builtin_add_overflow(offset, size, &end))
      return -EINVAL;
    const std::lock_guard guard(vm_->lock);
    const std::lock_guard memory_guard(vm_->memory_lock);
    if (offset < memory_->size()) remove_pages(offset, std::min(end, memory_->size()) - offset);
    return 0;
  }

  const Vm& vm() const { return *vm_; }
  const std::shared_ptr<GuestMemory>& memory() const { return memory_; }

 private:
  // Takes what the slots map of [offset, offset + size) away from the guest; under both locks.
  void remove_pages(std::uint64_t offset, std::uint64_t size) {
    vm_->slots.for_each([&](const MemorySlot& slot) {
      if (slot.private_memory != memory_) return;
      const std::uint64_t first = std::max(offset, slot.private_offset);
      const std::uint64_t end = std::min(offset + size, slot.private_offset + slot.range.size());
      if (first >= end) return;
      const std::uint64_t gpa = slot.range.base().value + (first - slot.private_offset);
      const GpaRange range = *GpaRange::create({gpa}, end - first);
      vm_->remove_private_pages(range);
      vm_->invalidate(range);
    });
    memory_->discard(offset, size);
  }

  const std::shared_ptr<Vm> vm_;
  const std::shared_ptr<GuestMemory> memory_;
};

// The checks of a region that need nothing but itself. `vm` decides which flags it may have.
int check_region(const Vm& vm, const kvm::kvm_userspace_memory_region2& region, bool memfd_allowed) {
  const bool with_memfd = memfd_allowed && (region.flags & kvm::KVM_MEM_GUEST_MEMFD) != 0;
  std::uint32_t allowed_flags = with_memfd ? kvm::KVM_MEM_GUEST_MEMFD : kvm::KVM_MEM_LOG_DIRTY_PAGES;
  if (!with_memfd && !vm.is_td) allowed_flags |= kvm::KVM_MEM_READONLY;
  if ((region.flags & ~allowed_flags) != 0) return -EINVAL;
  if (!is_page_aligned(region.memory_size) || !is_page_aligned(region.guest_phys_addr)) return -EINVAL;
  if (!is_page_aligned(region.userspace_addr) || region.userspace_addr > kUserAddressEnd ||
      region.memory_size > kUserAddressEnd - region.userspace_addr)
    return -EINVAL;
  std::uint64_t end = 0;
  if ((region.flags & kvm::KVM_MEM_GUEST_MEMFD) != 0 &&
      (!is_page_aligned(region.guest_memfd_offset) ||
       __builtin_add_overflow(region.guest_memfd_offset, region.memory_size, &end)))
    return -EINVAL;
  if (region.slot >= kUserMemorySlots) return -EINVAL;  // bits 31:16, the address space, must be 0 too
  if (__builtin_add_overflow(region.guest_phys_addr, region.memory_size, &end)) return -EINVAL;
  return region.memory_size / kPageSize > kMaxSlotPages ? -EINVAL : 0;
}

int bind_guest_memory(const Vm& vm, const kvm::kvm_userspace_memory_region2& region, const File* file,
                      MemorySlot& slot) {
  if (file == nullptr) return fcntl(static_cast<int>(region.guest_memfd), F_GETFD) < 0 ? -EBADF : -EINVAL;
  const auto* const memfd = dynamic_cast<const GuestMemfdFile*>(file);
  if (memfd == nullptr || &memfd->vm() != &vm) return -EINVAL;
  const auto& memory = memfd->memory();
  if (region.guest_memfd_offset + region.memory_size > memory->size()) return -EINVAL;
  if (!memory->bind(region.guest_memfd_offset, region.memory_size)) return -EINVAL;
  slot.private_memory = memory;
  slot.private_offset = region.guest_memfd_offset;
  return 0;
}

int delete_slot(Vm& vm, const MemorySlot& slot) {
  const GpaRange range = slot.range;
  vm.remove_private_pages(range);
  if (slot.private_memory) slot.private_memory->unbind(slot.private_offset);
  vm.slots.erase(slot.id);
  vm.invalidate(range);
  return 0;
}

// A slot that exists can move and change nothing else; one with a guest_memfd can only be deleted.
int check_change(const MemorySlot& old, const kvm::kvm_userspace_memory_region2& region) {
  if (old.private_memory || (region.flags & kvm::KVM_MEM_GUEST_MEMFD) != 0) return -EINVAL;
  const bool read_only = (region.flags & kvm::KVM_MEM_READONLY) != 0;
  const auto address = reinterpret_cast<std::uintptr_t>(old.shared);
  // KVM_MEM_LOG_DIRTY_PAGES may come and go.
  if (address != region.userspace_addr || old.range.size() != region.memory_size ||
      old.read_only != read_only)
    return -EINVAL;
  return 0;
}

MemorySlot make_slot(const kvm::kvm_userspace_memory_region2& region) {
  MemorySlot slot;
  slot.id = region.slot;
  slot.range = *GpaRange::create({region.guest_phys_addr}, region.memory_size);
  slot.read_only = (region.flags & kvm::KVM_MEM_READONLY) != 0;
  slot.logs_dirty = (region.flags & kvm::KVM_MEM_LOG_DIRTY_PAGES) != 0;
  // SAFETY: the monitor promises with this call that the memory stays mapped while the slot exists.
  slot.shared = reinterpret_cast<std::byte*>(region.userspace_addr);
  return slot;
}

int set_region(Vm& vm, const kvm::kvm_userspace_memory_region2& region) {
  const bool with_memfd = (region.flags & kvm::KVM_MEM_GUEST_MEMFD) != 0;
  // Found before the locks: if it is closed meanwhile, its destructor takes them.
  const auto file = with_memfd ? vm.host.descriptors.find(static_cast<int>(region.guest_memfd)) : nullptr;
  const std::lock_guard guard(vm.lock);
  const std::lock_guard memory_guard(vm.memory_lock);
  const MemorySlot* const old = vm.slots.find_id(region.slot);
  if (region.memory_size == 0) return old == nullptr ? -EINVAL : delete_slot(vm, *old);
  MemorySlot slot = make_slot(region);
  if (old != nullptr)
    if (const int status = check_change(*old, region); status != 0) return status;
  if (vm.slots.overlaps_other_than(slot.range, slot.id)) return -EEXIST;
  if (with_memfd)
    if (const int status = bind_guest_memory(vm, region, file.get(), slot); status != 0) return status;
  if (slot.range.end().value > std::uint64_t{1} << physical_address_bits(vm)) {
    if (with_memfd) slot.private_memory->unbind(slot.private_offset);
    return -EINVAL;
  }
  if (old != nullptr) delete_slot(vm, *old);
  const GpaRange range = slot.range;
  vm.slots.insert(std::move(slot));
  vm.invalidate(range);  // what was no memory until now
  return 0;
}

}  // namespace

int set_user_memory_region(Vm& vm, std::uintptr_t argument) {
  kvm::kvm_userspace_memory_region old_form{};
  if (const int status = read_argument(argument, old_form); status != 0) return status;
  kvm::kvm_userspace_memory_region2 region{};
  region.slot = old_form.slot;
  region.flags = old_form.flags;
  region.guest_phys_addr = old_form.guest_phys_addr;
  region.memory_size = old_form.memory_size;
  region.userspace_addr = old_form.userspace_addr;
  const int status = check_region(vm, region, /*memfd_allowed=*/false);
  return status != 0 ? status : set_region(vm, region);
}

int set_user_memory_region2(Vm& vm, std::uintptr_t argument) {
  kvm::kvm_userspace_memory_region2 region{};
  if (const int status = read_argument(argument, region); status != 0) return status;
  const int status = check_region(vm, region, /*memfd_allowed=*/true);
  return status != 0 ? status : set_region(vm, region);
}

int set_memory_attributes(Vm& vm, std::uintptr_t argument) {
  kvm::kvm_memory_attributes request{};
  if (const int status = read_argument(argument, request); status != 0) return status;
  if (request.flags != 0) return -EINVAL;
  const std::uint64_t supported = vm.is_td ? kvm::KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;
  if ((request.attributes & ~supported) != 0) return -EINVAL;
  const auto range = GpaRange::create({request.address}, request.size);
  if (!range || range->size() == 0 || !range->is_page_aligned()) return -EINVAL;
  const std::lock_guard guard(vm.lock);
  const std::lock_guard memory_guard(vm.memory_lock);
  if (request.attributes != 0) {
    if (!vm.attributes.is_all_private(*range)) {
      vm.attributes.set_private(*range);
      vm.invalidate(*range);
    }
    return 0;
  }
  for (const GpaRange& removed : vm.attributes.set_shared(*range)) {
    vm.remove_private_pages(removed);
    vm.invalidate(removed);
  }
  return 0;
}

int get_dirty_log(Vm& vm, std::uintptr_t argument) {
  kvm::kvm_dirty_log request{};
  if (const int status = read_argument(argument, request); status != 0) return status;
  if (request.slot >= kUserMemorySlots) return -EINVAL;
  std::uint64_t pages = 0;
  {
    const std::shared_lock guard(vm.memory_lock);
    const MemorySlot* const slot = vm.slots.find_id(request.slot);
    if (slot == nullptr || !slot->logs_dirty) return -ENOENT;
    pages = slot->range.size() / kPageSize;
  }
  // Which pages were written is not followed: each may have been.
  std::vector<std::uint64_t> bitmap((pages + 63) / 64, ~std::uint64_t{0});
  if (pages % 64 != 0) bitmap.back() = (std::uint64_t{1} << pages % 64) - 1;
  return copy_to_caller(request.dirty_bitmap, bitmap.data(), bitmap.size() * sizeof(bitmap[0]));
}

int create_guest_memfd(const std::shared_ptr<Vm>& vm, std::uintptr_t argument) {
  kvm::kvm_create_guest_memfd request{};
  if (const int status = read_argument(argument, request); status != 0) return status;
  if (request.flags != 0) return -EINVAL;
  if (static_cast<std::int64_t>(request.size) <= 0 || !is_page_aligned(request.size)) return -EINVAL;
  // What the monitor gets has the right size and only ever reads as zeros.
  UniqueFd fd(memfd_create("guest_memfd", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd || ftruncate(fd.get(), static_cast<off_t>(request.size)) != 0) return -errno;
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return -errno;
  auto memory = GuestMemory::create(request.size);
  if (!memory) return -ENOMEM;
  {
    const std::lock_guard guard(vm->memory_lock);
    vm->guest_memories.push_back(memory);
  }
  return vm->host.descriptors.insert(std::move(fd), std::make_shared<GuestMemfdFile>(vm, std::move(memory)));
}

}  // namespace virttdx::softhost
