// SPDX-License-Identifier: GPL-2.0-or-later
// Host memory as the engine's physical memory. An engine-physical address is the host address itself: one
// block of host memory has one place however many guest addresses (shared alias, slots) lead to it.
#pragma once

#include <unicorn/unicorn.h>

#include <cstddef>
#include <cstdint>
#include <map>

#include "softhost/cpu/cpu_engine.h"

namespace virttdx::softhost {

class EngineMemory {
 public:
  explicit EngineMemory(uc_engine* engine) : engine_(engine) {}

  /// The engine-physical address of the page of a Memory answer, mapped if it was not. 0 when the engine
  /// refuses.
  std::uint64_t address_of(const PageAnswer& answer);

 private:
  bool map(std::uint64_t begin, std::uint64_t end);

  uc_engine* engine_;
  std::map<std::uint64_t, std::uint64_t> mapped_;  ///< begin -> end
  std::uint64_t last_begin_ = 0, last_end_ = 0;
};

}  // namespace virttdx::softhost
