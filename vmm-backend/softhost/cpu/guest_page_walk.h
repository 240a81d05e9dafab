// SPDX-License-Identifier: GPL-2.0-or-later
// The guest's own page tables (Intel SDM volume 3, chapter 4), walked in software. Pure: memory comes from a
// PageSource.
#pragma once

#include <cstdint>

#include "softhost/cpu/cpu_engine.h"

namespace virttdx::softhost {

/// Gives host memory for guest-physical pages: a CpuEnvironment behind a cache, or a test's tables.
class PageSource {
 public:
  virtual ~PageSource() = default;
  virtual PageAnswer page(std::uint64_t gpa, AccessKind access) = 0;
  /// Changes when answers given before may be out of date; never between two calls of page().
  virtual std::uint64_t changes() const { return 0; }
};

/// What of the CPU's state decides about an access.
struct PagingState {
  std::uint64_t cr0 = 0, cr3 = 0, cr4 = 0, efer = 0;
  bool user = false;             ///< CPL 3
  bool alignment_check = false;  ///< RFLAGS.AC: suspends SMAP
};

/// #PF error code bits (SDM volume 3, 4.7).
namespace page_fault {
inline constexpr std::uint32_t kPresent = 1, kWrite = 2, kUser = 4, kReserved = 8, kFetch = 16;
}

struct Translation {
  enum class Kind : std::uint8_t {
    Page,          ///< `answer` is Memory
    PageFault,     ///< `error_code` is for #PF
    NotCanonical,  ///< #GP(0) or #SS(0)
    NoMemory,      ///< a page table or the page itself: `gpa` and `answer` say which and what
  };
  Kind kind = Kind::PageFault;
  std::uint64_t gpa = 0;  ///< of the byte accessed (NoMemory: of the table entry when that was it)
  bool of_page_table = false;
  /// What the same privilege may do with the page without another walk. Writable only when its dirty bit is
  /// set.
  bool readable = false, writable = false, executable = false;
  std::uint32_t error_code = 0;
  PageAnswer answer;
};

/// Translates one linear address for one access; sets accessed and dirty bits as a CPU does.
Translation translate(const PagingState& state, std::uint64_t linear, AccessKind access, PageSource& pages);

/// Whether paging in `state` can translate `linear` at all.
bool is_canonical(const PagingState& state, std::uint64_t linear);

}  // namespace virttdx::softhost
