// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/linear_memory.h"

#include <algorithm>
#include <cstring>

namespace virttdx::softhost {

namespace {
constexpr std::uint64_t kPageSize = 4096;

std::size_t part_in_page(std::uint64_t linear, std::size_t size) {
  return std::min<std::size_t>(size, kPageSize - linear % kPageSize);
}
}  // namespace

bool LinearMemory::translate_at(const PagingState& state, std::uint64_t linear, AccessKind access,
                                AccessFault& fault) {
  fault.translation = translate(state, linear, access, pages_);
  fault.linear = linear;
  fault.access = access;
  return fault.translation.kind == Translation::Kind::Page;
}

bool LinearMemory::read(const PagingState& state, std::uint64_t linear, std::span<std::byte> bytes,
                        AccessFault& fault, AccessKind access) {
  while (!bytes.empty()) {
    if (!translate_at(state, linear, access, fault)) return false;
    const std::size_t part = part_in_page(linear, bytes.size());
    std::memcpy(bytes.data(), fault.translation.answer.host + linear % kPageSize, part);
    bytes = bytes.subspan(part);
    linear += part;
  }
  return true;
}

bool LinearMemory::write(const PagingState& state, std::uint64_t linear, std::span<const std::byte> bytes,
                         AccessFault& fault) {
  for (std::size_t at = 0; at < bytes.size(); at += part_in_page(linear + at, bytes.size() - at))
    if (!translate_at(state, linear + at, AccessKind::Write, fault)) return false;
  while (!bytes.empty()) {
    if (!translate_at(state, linear, AccessKind::Write, fault)) return false;
    const std::size_t part = part_in_page(linear, bytes.size());
    std::memcpy(fault.translation.answer.host + linear % kPageSize, bytes.data(), part);
    bytes = bytes.subspan(part);
    linear += part;
  }
  return true;
}

}  // namespace virttdx::softhost
