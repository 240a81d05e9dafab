// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/code_pages.h"

#include <algorithm>

namespace virttdx::softhost {

namespace {
constexpr std::uint64_t bit(unsigned cpu) { return std::uint64_t{1} << cpu; }
}  // namespace

template <typename Action>
void CodePages::for_each(std::uint64_t cpus, const Action& action) {
  for (unsigned cpu = 0; cpu < kMaximumCpus; ++cpu)
    if ((cpus & bit(cpu)) != 0 && members_[cpu] != nullptr) action(*members_[cpu]);
}

std::optional<unsigned> CodePages::join(CodeHolder& holder) {
  const std::unique_lock lock(members_mutex_);
  const auto place = std::find(members_.begin(), members_.end(), nullptr);
  if (place == members_.end()) return std::nullopt;
  *place = &holder;
  const auto cpu = static_cast<unsigned>(place - members_.begin());
  // What a CPU alone may do is not written down.
  if (++count_ == 2) for_each(~bit(cpu), [](CodeHolder& other) { other.no_longer_alone(); });
  return cpu;
}

void CodePages::leave(unsigned cpu) {
  const std::unique_lock lock(members_mutex_);
  members_[cpu] = nullptr;
  --count_;
  for (Part& part : parts_) {
    const std::lock_guard guard(part.mutex);
    for (auto& [page, state] : part.pages) {
      state.writers &= ~bit(cpu);
      state.executors &= ~bit(cpu);
    }
    std::erase_if(part.pages,
                  [](const auto& entry) { return !(entry.second.writers | entry.second.executors); });
  }
}

CodePages::Claim CodePages::claim(unsigned cpu, std::byte* page, AccessKind access, bool wants_write) {
  const std::shared_lock members(members_mutex_);
  if (count_ < 2) return {wants_write, false};
  Part& part = part_of(page);
  const std::lock_guard guard(part.mutex);
  State& state = part.pages[page];
  const std::uint64_t own = bit(cpu);
  const bool writes = access == AccessKind::Write;
  if (access == AccessKind::Execute) {
    state.executors |= own;
    for_each(state.writers & ~own, [](CodeHolder& other) { other.give_up_rights(); });
  }
  if (writes) {
    for_each(state.executors & ~own, [&](CodeHolder& other) {
      other.give_up_rights();
      other.code_changed(page);
    });
    state.executors &= own;
  }
  const bool may_write = wants_write && (writes || (state.executors & ~own) == 0);
  const bool added = may_write && (state.writers & own) == 0;
  if (may_write) state.writers |= own;
  if ((state.writers | state.executors) == 0) part.pages.erase(page);
  return {may_write, added};
}

void CodePages::release(unsigned cpu, const std::vector<std::byte*>& pages) {
  const std::shared_lock members(members_mutex_);
  for (std::byte* page : pages) {
    Part& part = part_of(page);
    const std::lock_guard guard(part.mutex);
    const auto found = part.pages.find(page);
    if (found == part.pages.end()) continue;
    State& state = found->second;
    state.writers &= ~bit(cpu);
    for_each(state.executors & ~bit(cpu), [&](CodeHolder& other) { other.code_changed(page); });
    if ((state.writers | state.executors) == 0) part.pages.erase(found);
  }
}

}  // namespace virttdx::softhost
