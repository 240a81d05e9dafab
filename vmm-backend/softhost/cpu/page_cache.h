// SPDX-License-Identifier: GPL-2.0-or-later
// A source's Memory answers, remembered until they are invalidated.
#pragma once

#include <array>
#include <cstdint>

#include "softhost/cpu/guest_page_walk.h"

namespace virttdx::softhost {

/// The address without the two bits one of which is the SHARED bit (TDX Module Base Architecture, GPAW).
constexpr std::uint64_t private_alias(std::uint64_t gpa) { return gpa & ~(1ULL << 47 | 1ULL << 51); }

class PageCache final : public PageSource {
 public:
  explicit PageCache(PageSource& source) : source_(source) { clear(); }

  PageAnswer page(std::uint64_t gpa, AccessKind access) override;
  std::uint64_t changes() const override { return changes_; }
  void clear() { entries_.fill(Entry{}); }
  void forget(std::uint64_t gpa, std::uint64_t size);

 private:
  struct Entry {
    std::uint64_t key = ~0ULL;
    PageAnswer answer;
  };
  static constexpr std::size_t kEntries = 4096;
  /// GPAs are page aligned: the low bit tells fetches, which an environment may refuse, apart.
  static std::uint64_t key_of(std::uint64_t gpa, AccessKind access) {
    return gpa | (access == AccessKind::Execute ? 1 : 0);
  }
  Entry& entry_of(std::uint64_t key) { return entries_[((key >> 12) ^ (key << 11)) % kEntries]; }

  PageSource& source_;
  std::uint64_t changes_ = 0;
  std::array<Entry, kEntries> entries_;
};

}  // namespace virttdx::softhost
