// SPDX-License-Identifier: GPL-2.0-or-later
// Memory slots: which guest-physical ranges have host memory (Linux Documentation/virt/kvm/api.rst,
// KVM_SET_USER_MEMORY_REGION2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "softhost/kvm/guest_memory.h"
#include "vmm_backend/gpa.h"

namespace virttdx::softhost {

struct MemorySlot {
  std::uint32_t id = 0;
  GpaRange range;
  bool read_only = false;
  bool logs_dirty = false;                      ///< KVM_MEM_LOG_DIRTY_PAGES
  std::byte* shared = nullptr;                  ///< the monitor's memory at the range's base
  std::shared_ptr<GuestMemory> private_memory;  ///< null: the slot has no guest_memfd
  std::uint64_t private_offset = 0;             ///< of the range's base in private_memory

  std::byte* shared_at(std::uint64_t gpa) const { return shared + (gpa - range.base().value); }
  std::uint64_t private_offset_at(std::uint64_t gpa) const {
    return private_offset + (gpa - range.base().value);
  }
  std::byte* private_at(std::uint64_t gpa) const { return private_memory->at(private_offset_at(gpa)); }
};

/// Not thread-safe; slots never overlap.
class MemorySlots {
 public:
  /// The slot that holds an address (without the SHARED bit), or null.
  const MemorySlot* find(std::uint64_t gpa) const;
  const MemorySlot* find_id(std::uint32_t id) const;
  bool overlaps_other_than(GpaRange range, std::uint32_t id) const;
  void insert(MemorySlot slot);
  void erase(std::uint32_t id);
  template <typename Function>
  void for_each(Function function) const {
    for (const auto& [base, slot] : by_base_) function(slot);
  }

 private:
  std::map<std::uint64_t, MemorySlot> by_base_;
};

}  // namespace virttdx::softhost
