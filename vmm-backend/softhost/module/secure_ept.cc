// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/module/secure_ept.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "support/result.h"

namespace virttdx::softhost {

namespace {

constexpr std::uint64_t kSmallPage = 4096;
constexpr std::uint64_t kLargePage = std::uint64_t{2} << 20;
constexpr unsigned kDirectoryShift = 30;
constexpr std::size_t kEntries = 512;

constexpr std::uintptr_t kPendingFlag = 1, kMappedFlag = 2, kZeroFlag = 4, kFlags = kSmallPage - 1;

PageState state_of(std::uintptr_t entry) {
  if (entry & kMappedFlag) return PageState::Mapped;
  return entry & kPendingFlag ? PageState::Pending : PageState::Free;
}

// SAFETY: entries are made of host pointers by make_entry() only.
// NOLINTNEXTLINE(performance-no-int-to-ptr): address and flags are one word to keep the tables small
std::byte* host_of(std::uintptr_t entry) { return reinterpret_cast<std::byte*>(entry & ~kFlags); }

std::uintptr_t make_entry(std::byte* host, PageState state, bool host_is_zero) {
  const auto address = reinterpret_cast<std::uintptr_t>(host);
  const auto flag = state == PageState::Mapped ? kMappedFlag : kPendingFlag;
  return address | flag | (host_is_zero ? kZeroFlag : 0);
}

std::size_t table_index(std::uint64_t gpa) { return gpa / kSmallPage % kEntries; }
std::size_t region_index(std::uint64_t gpa) { return gpa / kLargePage % kEntries; }

void accept_entry(std::uintptr_t& entry, std::uint64_t size) {
  if (!(entry & kZeroFlag)) std::memset(host_of(entry), 0, size);
  entry = make_entry(host_of(entry), PageState::Mapped, false);
}

// Neighbours with the same state whose host memory continues this page's.
std::uint64_t span(const std::array<std::uintptr_t, kEntries>& table, std::size_t index, int direction) {
  const auto page = table[index] & ~kZeroFlag;
  std::uint64_t bytes = 0;
  for (std::size_t i = index + static_cast<std::size_t>(direction); i < kEntries;
       i += static_cast<std::size_t>(direction)) {
    const auto next = bytes + kSmallPage;
    if ((table[i] & ~kZeroFlag) != (direction > 0 ? page + next : page - next)) break;
    bytes = next;
  }
  return bytes;
}

}  // namespace

PrivatePage SecureEpt::walk(std::uint64_t gpa) const {
  const std::shared_lock lock(mutex_);
  const Region* found = find_region(gpa);
  if (!found) return {};
  const auto index = table_index(gpa);
  if (found->leaf) {
    const auto offset = index * kSmallPage;
    return {state_of(found->leaf), 1, host_of(found->leaf) + offset, offset,
            kLargePage - offset - kSmallPage};
  }
  if (!found->table || !(*found->table)[index]) return {};
  const auto& table = *found->table;
  return {state_of(table[index]), 0, host_of(table[index]), span(table, index, -1), span(table, index, 1)};
}

bool SecureEpt::map(std::uint64_t gpa, unsigned level, std::byte* host, PageState state, bool host_is_zero) {
  CHECK(level <= 1 && gpa % (level ? kLargePage : kSmallPage) == 0 && state != PageState::Free);
  CHECK(host && reinterpret_cast<std::uintptr_t>(host) % kSmallPage == 0);
  const std::unique_lock lock(mutex_);
  Region& target = region(gpa);
  if (target.leaf || (level == 1 && target.table)) return false;
  const auto entry = make_entry(host, state, host_is_zero);
  if (level == 1) {
    target.leaf = entry;
    return true;
  }
  if (!target.table) target.table = std::make_unique<Table>();
  auto& slot = (*target.table)[table_index(gpa)];
  if (slot) return false;
  slot = entry;
  return true;
}

bool SecureEpt::demote(std::uint64_t gpa) {
  const std::unique_lock lock(mutex_);
  Region* found = find_region(gpa);
  if (!found || !found->leaf) return false;
  split(*found);
  return true;
}

std::uint64_t SecureEpt::unmap(std::uint64_t gpa, std::uint64_t size) {
  CHECK(gpa % kSmallPage == 0 && size % kSmallPage == 0 && gpa + size >= gpa);
  const std::unique_lock lock(mutex_);
  std::uint64_t removed = 0;
  while (size > 0) {
    const auto offset = gpa % kLargePage;
    const auto part = std::min(size, kLargePage - offset);
    if (Region* found = find_region(gpa)) removed += unmap_in_region(*found, offset, part);
    gpa += part;
    size -= part;
  }
  return removed;
}

std::uint64_t SecureEpt::unmap_in_region(Region& region, std::uint64_t offset, std::uint64_t size) {
  if (region.leaf && size == kLargePage) {
    region.leaf = 0;
    return kLargePage;
  }
  if (region.leaf) split(region);
  if (!region.table) return 0;
  const auto first = region.table->begin() + static_cast<std::ptrdiff_t>(offset / kSmallPage);
  const auto last = first + static_cast<std::ptrdiff_t>(size / kSmallPage);
  const auto used = static_cast<std::uint64_t>(last - first - std::count(first, last, Entry{0}));
  std::fill(first, last, Entry{0});
  const bool empty = std::all_of(region.table->begin(), region.table->end(), [](Entry e) { return !e; });
  if (empty) region.table.reset();  // a 2 MiB page may come here next
  return used * kSmallPage;
}

SecureEpt::AcceptResult SecureEpt::accept(std::uint64_t gpa, unsigned level) {
  CHECK(level <= 1 && gpa % (level ? kLargePage : kSmallPage) == 0);
  const std::unique_lock lock(mutex_);
  Region* found = find_region(gpa);
  if (!found) return {Accept::EptViolation, level};
  return level ? accept_2m(*found) : accept_4k(*found, gpa);
}

SecureEpt::AcceptResult SecureEpt::accept_4k(Region& region, std::uint64_t gpa) {
  if (state_of(region.leaf) == PageState::Mapped) return {Accept::AlreadyAccepted, 1};
  if (!region.table) return {Accept::EptViolation, 0};
  auto& entry = (*region.table)[table_index(gpa)];
  if (!entry) return {Accept::EptViolation, 0};
  if (state_of(entry) == PageState::Mapped) return {Accept::AlreadyAccepted, 0};
  accept_entry(entry, kSmallPage);
  return {Accept::Accepted, 0};
}

SecureEpt::AcceptResult SecureEpt::accept_2m(Region& region) {
  if (region.table) return {Accept::SizeMismatch, 1};
  if (!region.leaf) return {Accept::EptViolation, 1};
  if (state_of(region.leaf) == PageState::Mapped) return {Accept::AlreadyAccepted, 1};
  accept_entry(region.leaf, kLargePage);
  return {Accept::Accepted, 1};
}

SecureEpt::PageCounts SecureEpt::count_pages() const {
  const std::shared_lock lock(mutex_);
  PageCounts counts;
  for (const auto& [base, directory] : directories_)
    for (const Region& region : *directory) {
      if (region.leaf) ++counts.large;
      if (region.table)
        counts.small += kEntries - static_cast<std::uint64_t>(std::ranges::count(*region.table, Entry{0}));
    }
  return counts;
}

SecureEpt::Region& SecureEpt::region(std::uint64_t gpa) {
  auto& directory = directories_[gpa >> kDirectoryShift];
  if (!directory) directory = std::make_unique<Directory>();
  return (*directory)[region_index(gpa)];
}

SecureEpt::Region* SecureEpt::find_region(std::uint64_t gpa) const {
  const auto found = directories_.find(gpa >> kDirectoryShift);
  return found == directories_.end() ? nullptr : &(*found->second)[region_index(gpa)];
}

void SecureEpt::split(Region& region) {
  region.table = std::make_unique<Table>();
  for (std::size_t i = 0; i < kEntries; ++i) (*region.table)[i] = region.leaf + i * kSmallPage;
  region.leaf = 0;
}

}  // namespace virttdx::softhost
