// SPDX-License-Identifier: GPL-2.0-or-later
// Which guest-physical pages are private (KVM_SET_MEMORY_ATTRIBUTES).
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "vmm_backend/gpa.h"

namespace virttdx::softhost {

/// A set of page-aligned ranges. Addresses are without the SHARED bit. Not thread-safe.
class MemoryAttributes {
 public:
  void set_private(GpaRange range);
  /// Returns the parts of the range that were private until now.
  std::vector<GpaRange> set_shared(GpaRange range);
  bool is_private(std::uint64_t gpa) const;
  bool is_all_private(GpaRange range) const;

 private:
  std::map<std::uint64_t, std::uint64_t> private_;  // first byte -> first byte after; disjoint, not adjacent
};

}  // namespace virttdx::softhost
