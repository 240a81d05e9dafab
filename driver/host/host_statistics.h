// SPDX-License-Identifier: GPL-2.0-or-later
// What the host's CPUs and memory do now, from /proc and /sys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "support/result.h"

namespace virttdx::driver {

/// Nanoseconds since boot.
struct CpuTimes {
  std::uint64_t kernel = 0, user = 0, idle = 0, io_wait = 0;
};
/// Of one CPU, or (absent) of all. NotFound: there is no such CPU online.
Result<CpuTimes> host_cpu_times(std::optional<std::uint32_t> cpu);

/// KiB.
struct MemoryUse {
  std::uint64_t total = 0, free = 0;
  std::uint64_t buffers = 0, cached = 0;  ///< of the whole host only
};
/// Of one NUMA node, or (absent) of the host. NotFound: there is no such node.
Result<MemoryUse> host_memory(std::optional<std::uint32_t> node);

/// Free pages of `page_kib` KiB on a NUMA node. NotFound: the node has no pool of such pages.
Result<std::uint64_t> free_pages(std::uint32_t node, std::uint32_t page_kib);

/// A value of /sys/kernel/mm/ksm; absent: the kernel has no KSM.
std::optional<std::uint64_t> ksm_value(std::string_view name);

/// A line of /sys/class/dmi/id ("sys_vendor"); empty when the host does not tell.
std::string dmi_value(std::string_view name);

}  // namespace virttdx::driver
