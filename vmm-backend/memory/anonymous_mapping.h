// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "support/result.h"

namespace virttdx {

/// Owns zeroed pages of this process, allocated as they are touched. Move-only.
class AnonymousMapping {
 public:
  /// `size`: bytes, a multiple of 4096 above 0.
  static Result<AnonymousMapping> create(std::size_t size);
  AnonymousMapping(AnonymousMapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  AnonymousMapping& operator=(AnonymousMapping&&) = delete;
  ~AnonymousMapping();

  std::span<std::byte> bytes() const { return bytes_; }

 private:
  explicit AnonymousMapping(std::span<std::byte> bytes) : bytes_(bytes) {}
  std::span<std::byte> bytes_;
};

}  // namespace virttdx
