// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/memory_slots.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace virttdx::softhost {

const MemorySlot* MemorySlots::find(std::uint64_t gpa) const {
  const auto after = by_base_.upper_bound(gpa);
  if (after == by_base_.begin()) return nullptr;
  const MemorySlot& slot = std::prev(after)->second;
  return slot.range.contains(Gpa{gpa}) ? &slot : nullptr;
}

const MemorySlot* MemorySlots::find_id(std::uint32_t id) const {
  const auto found = std::find_if(by_base_.begin(), by_base_.end(),
                                  [&](const auto& entry) { return entry.second.id == id; });
  return found == by_base_.end() ? nullptr : &found->second;
}

bool MemorySlots::overlaps_other_than(GpaRange range, std::uint32_t id) const {
  return std::any_of(by_base_.begin(), by_base_.end(), [&](const auto& entry) {
    return entry.second.id != id && entry.second.range.overlaps(range);
  });
}

void MemorySlots::insert(MemorySlot slot) {
  const std::uint64_t base = slot.range.base().value;
  by_base_.insert_or_assign(base, std::move(slot));
}

void MemorySlots::erase(std::uint32_t id) {
  std::erase_if(by_base_, [&](const auto& entry) { return entry.second.id == id; });
}

}  // namespace virttdx::softhost
