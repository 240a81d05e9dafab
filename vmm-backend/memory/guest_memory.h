// SPDX-License-Identifier: GPL-2.0-or-later
// A TD's memory: each region has a private side (guest_memfd, which nobody but the TD reads) and a shared
// side (a memory file). KVM's memory attributes say for every page which side the guest has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "bus/dma.h"
#include "kvm/kvm.h"
#include "support/memory_file.h"
#include "support/result.h"
#include "vmm_backend/gpa.h"

namespace virttdx {

/// Any thread. The KvmVm must outlive it.
/// Pages reserved for the shared side of a TD's RAM (VmConfig::shared_page_bytes).
struct SharedHugePages {
  std::uint64_t page_bytes;  ///< 0: none
  std::size_t regions;       ///< the first ones, which are multiples of page_bytes, have them
};

class GuestMemory final : public DmaMemory {
 public:
  /// Makes one slot a region, in order, with both sides; all pages are private at first. Regions are page
  /// aligned and do not overlap.
  static Result<std::unique_ptr<GuestMemory>> create(KvmVm& vm, std::span<const GpaRange> regions,
                                                     SharedHugePages huge_pages = {0, 0});

  /// Moves pages to the other side and discards their content on the old one; pages already there lose theirs
  /// on the other side only. Parts without memory may become shared (they are MMIO), never private.
  /// InvalidArgument: unaligned, empty, or private without memory: nothing has changed then.
  Result<> convert(const GpaRange& range, bool to_private);

  /// Copies out of or into shared pages; false, with nothing copied, unless every byte lies in a region and
  /// its page is shared. The guest may write the bytes at any time: read once, then decide.
  bool read(Gpa gpa, std::span<std::byte> into) override;
  bool write(Gpa gpa, std::span<const std::byte> bytes) override;
  /// Empty as well when a page of them is private.
  std::span<std::byte> map(Gpa gpa, std::size_t size) override;
  /// The shared sides, whole.
  std::vector<DmaFile> files() override;

  /// Whether a region holds the whole range.
  bool contains(const GpaRange& range) const;

 private:
  struct Region {
    GpaRange range;
    MemoryFile shared;
    KernelFd private_memory;
    std::vector<bool> is_private;  ///< a page each; guarded by mutex_
  };

  explicit GuestMemory(KvmVm& vm) : vm_(vm) {}
  Result<> add_region(const GpaRange& range, MemoryFile shared);
  Result<> convert_part(Region& region, const GpaRange& part, bool to_private);
  bool is_backed(const GpaRange& range) const;
  std::byte* find_shared(Gpa gpa, std::size_t size);

  KvmVm& vm_;
  std::mutex mutex_;
  std::vector<Region> regions_;  ///< only create() adds; is_private alone changes later
};

}  // namespace virttdx
