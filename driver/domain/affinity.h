// SPDX-License-Identifier: GPL-2.0-or-later
// Which host CPUs the threads of a monitor may run on.
#pragma once

#include <optional>
#include <vector>

#include "domain_xml/domain.h"
#include "process/monitor_process.h"
#include "support/result.h"

namespace virttdx::driver {

using CpuSet = std::vector<bool>;  ///< by number

/// By the name that the monitor gives its threads.
bool is_vcpu_thread(const std::string& name);

/// Restricts the thread of one vCPU, or (absent) every thread that is none of a vCPU's.
Result<> set_affinity(const MonitorProcess& process, std::optional<std::uint32_t> vcpu, const CpuSet& cpus);
/// What the kernel has it at. Internal: there is no such thread (yet).
Result<CpuSet> affinity_of(const MonitorProcess& process, std::optional<std::uint32_t> vcpu);
/// Restricts all threads as the definition says; what it says nothing about is left alone.
Result<> apply_affinity(const MonitorProcess& process, const domain_xml::Domain& domain);

/// What one vCPU's thread has used.
struct VcpuUse {
  std::uint64_t time_ns = 0;
  std::optional<std::uint64_t> delay_ns;  ///< it was ready to run, but did not
  std::optional<std::uint64_t> wait_ns;   ///< the same, as the scheduler's own statistics have it
  std::uint32_t processor = 0;            ///< where it ran last
};
/// Of the first `count` vCPUs, as the kernel has it; the monitor is not asked. Absent: no such thread.
std::vector<std::optional<VcpuUse>> vcpu_uses(const MonitorProcess& process, std::uint32_t count);

}  // namespace virttdx::driver
