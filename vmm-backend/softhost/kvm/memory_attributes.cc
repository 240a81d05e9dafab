// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/memory_attributes.h"

#include <algorithm>
#include <iterator>

namespace virttdx::softhost {

std::vector<GpaRange> MemoryAttributes::set_shared(GpaRange range) {
  std::vector<GpaRange> removed;
  if (range.size() == 0) return removed;
  const std::uint64_t first = range.base().value;
  const std::uint64_t end = range.end().value;
  auto part = private_.upper_bound(first);
  if (part != private_.begin() && std::prev(part)->second > first) --part;
  while (part != private_.end() && part->first < end) {
    const auto [part_first, part_end] = *part;
    part = private_.erase(part);
    if (part_first < first) private_[part_first] = first;
    if (part_end > end) private_[end] = part_end;
    const std::uint64_t removed_first = std::max(part_first, first);
    removed.push_back(*GpaRange::create({removed_first}, std::min(part_end, end) - removed_first));
  }
  return removed;
}

void MemoryAttributes::set_private(GpaRange range) {
  if (range.size() == 0) return;
  set_shared(range);
  std::uint64_t first = range.base().value;
  std::uint64_t end = range.end().value;
  auto next = private_.upper_bound(first);
  if (next != private_.end() && next->first == end) {
    end = next->second;
    next = private_.erase(next);
  }
  if (next != private_.begin() && std::prev(next)->second == first) {
    first = std::prev(next)->first;
    private_.erase(std::prev(next));
  }
  private_[first] = end;
}

bool MemoryAttributes::is_private(std::uint64_t gpa) const {
  const auto after = private_.upper_bound(gpa);
  return after != private_.begin() && std::prev(after)->second > gpa;
}

bool MemoryAttributes::is_all_private(GpaRange range) const {
  const auto after = private_.upper_bound(range.base().value);
  return after != private_.begin() && std::prev(after)->second >= range.end().value;
}

}  // namespace virttdx::softhost
