// SPDX-License-Identifier: GPL-2.0-or-later
// Guest-physical addresses as types: adding to one can fail, and never wraps.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

namespace virttdx {

inline constexpr std::uint64_t kPageSize = 4096;

/// A guest-physical address without the SHARED bit, unless a name says "alias".
struct Gpa {
  std::uint64_t value = 0;
  auto operator<=>(const Gpa&) const = default;
  bool is_page_aligned() const { return value % kPageSize == 0; }
  /// The address `offset` bytes on, or nothing when that wraps.
  std::optional<Gpa> checked_add(std::uint64_t offset) const {
    Gpa sum;
    if (__builtin_add_overflow(value, offset, &sum.value)) return std::nullopt;
    return sum;
  }
};

/// A closed-open, non-wrapping range [base, base + size). Size may be 0. Only create() makes one of outside
/// values.
class GpaRange {
 public:
  GpaRange() = default;
  /// Nothing when base + size exceeds 2^64 - 1.
  static std::optional<GpaRange> create(Gpa base, std::uint64_t size) {
    const auto end = base.checked_add(size);
    if (!end) return std::nullopt;
    return GpaRange(base, size);
  }
  Gpa base() const { return base_; }
  std::uint64_t size() const { return size_; }
  Gpa end() const { return {base_.value + size_}; }
  bool is_page_aligned() const { return base_.is_page_aligned() && size_ % kPageSize == 0; }
  bool contains(Gpa gpa) const { return gpa >= base_ && gpa < end(); }
  bool contains(const GpaRange& other) const { return other.base_ >= base_ && other.end() <= end(); }
  bool overlaps(const GpaRange& other) const { return base_ < other.end() && other.base_ < end(); }
  bool operator==(const GpaRange&) const = default;

 private:
  GpaRange(Gpa base, std::uint64_t size) : base_(base), size_(size) {}
  Gpa base_;
  std::uint64_t size_ = 0;
};

}  // namespace virttdx
