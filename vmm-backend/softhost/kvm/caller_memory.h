// SPDX-License-Identifier: GPL-2.0-or-later
// Arguments of ioctls in the caller's memory, copied with the checks that a kernel makes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace virttdx::softhost {

/// Copies `size` bytes of this process's memory at `address`: 0, or -EFAULT when a byte cannot be read.
int copy_from_caller(void* to, std::uintptr_t address, std::size_t size);
/// Copies `size` bytes to this process's memory at `address`: 0, or -EFAULT when a byte cannot be written.
int copy_to_caller(std::uintptr_t address, const void* from, std::size_t size);

template <typename T>
int read_argument(std::uintptr_t address, T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  return copy_from_caller(&value, address, sizeof(T));
}

template <typename T>
int write_argument(std::uintptr_t address, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  return copy_to_caller(address, &value, sizeof(T));
}

}  // namespace virttdx::softhost
