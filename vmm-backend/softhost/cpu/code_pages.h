// SPDX-License-Identifier: GPL-2.0-or-later
// Which host pages the CPUs of one VM execute from and which they may write, so that code written by one CPU
// is translated anew by the others.
//
// An engine sees its own stores to what it has translated, but not those of others. So no CPU keeps the right
// to write a page that another one executes: executing takes it away, writing makes the others translate the
// page anew. Both are asked for and done at the other CPU's next block. What was written before the right was
// gone is covered by one more request when it is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "softhost/cpu/cpu_engine.h"

namespace virttdx::softhost {

/// A CPU that translates code. Its functions are called from threads of other CPUs, under locks of CodePages.
class CodeHolder {
 public:
  virtual ~CodeHolder() = default;
  /// Translations of code in the page, 4 KiB at `page`, are out of date.
  virtual void code_changed(std::byte* page) = 0;
  /// Give up all access rights, then CodePages::release() them.
  virtual void give_up_rights() = 0;
  /// The VM has more than one CPU from now on: give up all rights and all translations.
  virtual void no_longer_alone() = 0;
};

/// Thread-safe.
class CodePages {
 public:
  static constexpr unsigned kMaximumCpus = 64;

  /// Nothing when there are 64 already.
  std::optional<unsigned> join(CodeHolder& holder);
  /// Its rights are released.
  void leave(unsigned cpu);
  bool is_alone() {
    const std::shared_lock lock(members_mutex_);
    return count_ < 2;
  }

  /// Before a CPU gets access to the page: `access` is what it is about to do. Returns whether it may also
  /// write, which it wants to if `wants_write`; a CPU about to write always may. `added` tells that it held
  /// no right to write the page before.
  struct Claim {
    bool may_write = false;
    bool added = false;
  };
  Claim claim(unsigned cpu, std::byte* page, AccessKind access, bool wants_write);
  /// The CPU can write none of these pages any more.
  void release(unsigned cpu, const std::vector<std::byte*>& pages);

 private:
  struct State {
    std::uint64_t writers = 0;    ///< bit per CPU
    std::uint64_t executors = 0;  ///< bit per CPU
  };
  struct Part {
    std::mutex mutex;
    std::unordered_map<std::byte*, State> pages;  // guarded by mutex
  };
  Part& part_of(const std::byte* page) {
    return parts_[reinterpret_cast<std::uintptr_t>(page) / 4096 % parts_.size()];
  }
  template <typename Action>
  void for_each(std::uint64_t cpus, const Action& action);

  std::shared_mutex members_mutex_;  // before a part's mutex
  std::array<CodeHolder*, kMaximumCpus> members_{};
  unsigned count_ = 0;
  std::array<Part, 64> parts_;
};

}  // namespace virttdx::softhost
