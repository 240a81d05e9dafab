// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>

namespace virttdx::softhost {

/// One ioctl of an object: its number and what does it.
template <typename Object>
struct IoctlEntry {
  unsigned long request;
  int (*function)(Object& object, std::uintptr_t argument);
};

/// Runs the entry of a request; `unknown` when there is none.
template <typename Object>
int dispatch(std::span<const IoctlEntry<Object>> table, Object& object, unsigned long request,
             std::uintptr_t argument, int unknown) {
  for (const auto& entry : table)
    if (entry.request == request) return entry.function(object, argument);
  return unknown;
}

}  // namespace virttdx::softhost
