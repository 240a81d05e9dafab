// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/guest_memory.h"

#include <sys/mman.h>

#include <algorithm>

namespace virttdx::softhost {

std::shared_ptr<GuestMemory> GuestMemory::create(std::uint64_t size) {
  // MAP_NORESERVE: a guest's memory may exceed what is free now, as with any virtual machine.
  void* const base =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return nullptr;
  // Large pages make the engine's many scattered accesses cheaper; without them it only is slower.
  (void)madvise(base, size, MADV_HUGEPAGE);
  return std::shared_ptr<GuestMemory>(new GuestMemory(static_cast<std::byte*>(base), size));
}

GuestMemory::~GuestMemory() { munmap(base_, size_); }

void GuestMemory::discard(std::uint64_t offset, std::uint64_t size) {
  (void)madvise(base_ + offset, size, MADV_DONTNEED);
}

bool GuestMemory::bind(std::uint64_t offset, std::uint64_t size) {
  const bool taken = std::any_of(bindings_.begin(), bindings_.end(), [&](const Binding& other) {
    return offset < other.offset + other.size && other.offset < offset + size;
  });
  if (taken) return false;
  bindings_.push_back({offset, size});
  return true;
}

void GuestMemory::unbind(std::uint64_t offset) {
  std::erase_if(bindings_, [&](const Binding& binding) { return binding.offset == offset; });
}

}  // namespace virttdx::softhost
