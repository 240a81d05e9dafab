// SPDX-License-Identifier: GPL-2.0-or-later
// What other threads want of a CPU: to forget pages, rights and translated code.
//
// Translated code and our handlers reach memory by earlier answers of the environment. So in_guest_ tells
// others whether they may be running. Calls of the environment that may wait for another thread are outside
// of the guest, and what was requested meanwhile is taken before it is entered again.
#include <chrono>
#include <thread>

#include "softhost/cpu/unicorn_engine.h"

namespace virttdx::softhost {

template <typename Change>
void UnicornEngine::request(const Change& change) {
  {
    const std::lock_guard lock(requests_mutex_);
    change(requests_);
    requested_.store(true);
  }
  kicker_.kick();
}

void UnicornEngine::invalidate(std::uint64_t gpa, std::uint64_t size) {
  request([&](Requests& requests) { requests.invalidated.emplace_back(gpa, size); });
}
void UnicornEngine::code_changed(std::byte* page) {
  request([&](Requests& requests) { requests.changed_code.push_back(page); });
}
void UnicornEngine::give_up_rights() {
  request([](Requests&) {});
}
void UnicornEngine::no_longer_alone() {
  request([](Requests& requests) { requests.all_code = true; });
}

void UnicornEngine::wait_until_invalidated() {
  constexpr int kSpins = 100;
  constexpr auto kPause = std::chrono::microseconds(20);
  for (int i = 0; requested_.load() && in_guest_.load(); ++i) {
    if (i < kSpins)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(kPause);
  }
}

PageAnswer UnicornEngine::page(std::uint64_t gpa, AccessKind access) {
  for (;;) {
    leave_guest();
    const PageAnswer answer = environment_.page(gpa, access);
    const bool up_to_date = return_to_guest();
    if (up_to_date || answer.kind != PageAnswer::Kind::Memory) return answer;
  }
}

/// After a call that may have waited; false: requests were taken, answers from before may be out of date.
bool UnicornEngine::return_to_guest() {
  bool undisturbed = true;
  while (!enter_guest()) {
    take_requests();
    if (inside_) internals_.leave();  // the rest of what was requested is run()'s
    undisturbed = false;
  }
  return undisturbed;
}

/// False: requests came first. Sequentially consistent with request(): either this sees the request or the
/// requester sees the guest running.
bool UnicornEngine::enter_guest() {
  in_guest_.store(true);
  if (!requested_.load()) return true;
  leave_guest();
  return false;
}

/// Only what concerns memory; translated code may be on the stack.
void UnicornEngine::take_requests() {
  if (!requested_.load(std::memory_order_relaxed)) return;
  Requests taken;
  {
    const std::lock_guard lock(requests_mutex_);
    taken = std::exchange(requests_, {});
    requested_.store(false);
  }
  for (const auto& [gpa, size] : taken.invalidated) {
    pages_.forget(gpa, size);
    code_requests_.invalidated.emplace_back(gpa, size);
  }
  auto& changed = code_requests_.changed_code;
  changed.insert(changed.end(), taken.changed_code.begin(), taken.changed_code.end());
  code_requests_.all_code |= taken.all_code;
  flush_tlb();
}

void UnicornEngine::drop_requested_code() {
  const Requests requests = std::exchange(code_requests_, {});
  if (requests.all_code) {
    alone_ = false;
    context_.save();
    intercept_instructions();
    context_.restore();
  }
  bool drop_all = requests.all_code;
  for (const auto& [gpa, size] : requests.invalidated) {
    const auto is_inside = [&, begin = private_alias(gpa), length = size](std::uint64_t page) {
      return private_alias(page) - begin < length;
    };
    drop_all = std::erase_if(executed_pages_, is_inside) != 0 || drop_all;
  }
  if (drop_all) {
    uc_ctl_flush_tb(handles_.engine);
    return;
  }
  for (std::byte* page : requests.changed_code) internals_.drop_code(page);
}

void UnicornEngine::flush_tlb() {
  internals_.flush_tlb();
  if (writable_pages_.empty()) return;
  code_pages_->release(code_pages_member_, writable_pages_);
  writable_pages_.clear();
}

}  // namespace virttdx::softhost
