// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/page_cache.h"

namespace virttdx::softhost {

PageAnswer PageCache::page(std::uint64_t gpa, AccessKind access) {
  const std::uint64_t key = key_of(gpa, access);
  Entry& entry = entry_of(key);
  if (entry.key == key && (access != AccessKind::Write || entry.answer.writable)) return entry.answer;
  const PageAnswer answer = source_.page(gpa, access);
  if (answer.kind == PageAnswer::Kind::Memory) entry = {key, answer};
  return answer;
}

void PageCache::forget(std::uint64_t gpa, std::uint64_t size) {
  ++changes_;
  if (size / 4096 >= kEntries) return clear();
  for (Entry& entry : entries_) {
    if (private_alias(entry.key & ~1ULL) - private_alias(gpa) < size) entry.key = ~0ULL;
  }
}

}  // namespace virttdx::softhost
