// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/engine_memory.h"

#include <algorithm>

namespace virttdx::softhost {

namespace {
constexpr std::uint64_t kPageSize = 4096;
}

std::uint64_t EngineMemory::address_of(const PageAnswer& answer) {
  const auto host = reinterpret_cast<std::uint64_t>(answer.host);
  if (host >= last_begin_ && host < last_end_) return host;
  auto next = mapped_.upper_bound(host);
  if (next != mapped_.begin()) {
    const auto& [begin, end] = *std::prev(next);
    if (host < end) {
      last_begin_ = begin;
      last_end_ = end;
      return host;
    }
  }
  // As much of the span as no earlier mapping holds: each mapping drops the engine's TLB.
  std::uint64_t begin = (host - std::min(answer.span_before, host)) & ~(kPageSize - 1);
  std::uint64_t end = (host + std::max(answer.span_after, kPageSize)) & ~(kPageSize - 1);
  if (next != mapped_.begin()) begin = std::max(begin, std::prev(next)->second);
  if (next != mapped_.end()) end = std::min(end, next->first);
  return map(begin, end) ? host : 0;
}

bool EngineMemory::map(std::uint64_t begin, std::uint64_t end) {
  // SAFETY: engine-physical addresses are host addresses; the environment answers for [begin, end).
  auto* host = reinterpret_cast<void*>(begin);
  if (uc_mem_map_ptr(engine_, begin, end - begin, UC_PROT_ALL, host) != UC_ERR_OK) return false;
  mapped_[begin] = end;
  last_begin_ = begin;
  last_end_ = end;
  return true;
}

}  // namespace virttdx::softhost
