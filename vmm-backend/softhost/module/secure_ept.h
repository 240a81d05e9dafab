// SPDX-License-Identifier: GPL-2.0-or-later
// Private memory of one TD: which guest page is mapped to which host page and whether the guest accepted it.
// Intel TDX Module Base Specification, chapter "TD Private Memory Management".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <unordered_map>

namespace virttdx::softhost {

enum class PageState : std::uint8_t {
  Free,     ///< no S-EPT entry
  Pending,  ///< added by the VMM after the build, not accepted by the guest
  Mapped,   ///< the guest's
};

struct PrivatePage {
  PageState state = PageState::Free;
  unsigned level = 0;         ///< of the entry: 0 = 4 KiB, 1 = 2 MiB
  std::byte* host = nullptr;  ///< the 4 KiB page that holds the address; null when Free
  /// Bytes before and after that 4 KiB page that have the same state and lie next to it in host memory too.
  std::uint64_t span_before = 0, span_after = 0;
};

/// Thread-safe: walks of several vCPUs run side by side, changes are exclusive.
/// Addresses carry no SHARED bit. Host memory stays the caller's and must outlive its mapping.
class SecureEpt {
 public:
  /// The 4 KiB page holding `gpa`. Spans end at 2 MiB boundaries.
  PrivatePage walk(std::uint64_t gpa) const;
  /// New entry of 4 KiB (level 0) or 2 MiB (level 1) at an aligned `gpa` over as many bytes at `host` (4 KiB
  /// aligned). False, and nothing changed, when any of it is not Free. `host_is_zero` lets the acceptance of
  /// a Pending page skip its zeroing.
  bool map(std::uint64_t gpa, unsigned level, std::byte* host, PageState state, bool host_is_zero = false);
  /// Makes 4 KiB entries of the same state out of the 2 MiB entry that holds `gpa`; false when there is none.
  bool demote(std::uint64_t gpa);
  /// Frees every page in [gpa, gpa + size), both 4 KiB aligned; a 2 MiB entry only partly inside is split.
  /// Returns the bytes that were not Free.
  std::uint64_t unmap(std::uint64_t gpa, std::uint64_t size);
  /// TDG.MEM.PAGE.ACCEPT's answer.
  enum class Accept : std::uint8_t {
    Accepted,         ///< zeroed and Mapped
    AlreadyAccepted,  ///< by an entry of `level`
    SizeMismatch,     ///< 2 MiB asked, 4 KiB entries there
    EptViolation,     ///< nothing there at that level: the VMM must add it first
  };
  struct AcceptResult {
    Accept result;
    unsigned level;
  };
  AcceptResult accept(std::uint64_t gpa, unsigned level);
  /// Entries of 4 KiB and of 2 MiB.
  struct PageCounts {
    std::uint64_t small = 0, large = 0;
  };
  PageCounts count_pages() const;

 private:
  // A host address (4 KiB aligned) with the flags below; 0 is a free page.
  using Entry = std::uintptr_t;
  using Table = std::array<Entry, 512>;
  // 2 MiB: one leaf entry, or a table of 4 KiB entries.
  struct Region {
    Entry leaf = 0;
    std::unique_ptr<Table> table;
  };
  using Directory = std::array<Region, 512>;  // 1 GiB

  Region& region(std::uint64_t gpa);
  Region* find_region(std::uint64_t gpa) const;
  static void split(Region& region);
  static std::uint64_t unmap_in_region(Region& region, std::uint64_t offset, std::uint64_t size);
  static AcceptResult accept_4k(Region& region, std::uint64_t gpa);
  static AcceptResult accept_2m(Region& region);

  mutable std::shared_mutex mutex_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Directory>> directories_;
};

}  // namespace virttdx::softhost
