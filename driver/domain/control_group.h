// SPDX-License-Identifier: GPL-2.0-or-later
// What `<cputune>`, `<memtune>` and `<blkiotune>` limit, as control groups have it.
#pragma once

#include <filesystem>

#include "domain/domain_record.h"
#include "domain_xml/domain.h"
#include "process/machine_scopes.h"
#include "process/monitor_process.h"
#include "support/result.h"

namespace virttdx::driver {

/// Of the period of bandwidth limits, in microseconds: the kernel's default (cpu.max of cgroup-v2.rst).
inline constexpr std::uint64_t kCpuPeriod = 100'000;

/// Limits of all the monitor's threads and of what it started.
ScopeLimits scope_limits(const domain_xml::Tuning& tuning);

/// Of a domain that is about to run or runs, in the partition of its live definition.
Scope scope_of(const DomainRecord& record);

/// Limits of each vCPU's thread and of the other threads: child groups ("vcpu0", "emulator") of the monitor's
/// own. Without any such limit none is made; made ones are kept.
Result<> limit_threads(const std::filesystem::path& group, const MonitorProcess& process,
                       const domain_xml::Domain& domain);

}  // namespace virttdx::driver
