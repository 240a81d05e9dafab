// SPDX-License-Identifier: GPL-2.0-or-later
// The engine's own accesses to guest memory by linear address: instruction bytes, descriptors, stacks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "softhost/cpu/guest_page_walk.h"

namespace virttdx::softhost {

/// An access that did not come to memory.
struct AccessFault {
  Translation translation;
  std::uint64_t linear = 0;
  AccessKind access = AccessKind::Read;
};

class LinearMemory {
 public:
  explicit LinearMemory(PageSource& pages) : pages_(pages) {}

  /// All of `bytes` or, with `fault` set, an unknown part of them.
  bool read(const PagingState& state, std::uint64_t linear, std::span<std::byte> bytes, AccessFault& fault,
            AccessKind access = AccessKind::Read);
  /// All or nothing.
  bool write(const PagingState& state, std::uint64_t linear, std::span<const std::byte> bytes,
             AccessFault& fault);

 private:
  bool translate_at(const PagingState& state, std::uint64_t linear, AccessKind access, AccessFault& fault);

  PageSource& pages_;
};

}  // namespace virttdx::softhost
