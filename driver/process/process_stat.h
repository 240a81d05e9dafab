// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace virttdx::driver {

/// Of /proc/PID/stat, proc(5). Times in clock ticks.
struct ProcessStat {
  char state = 'X';
  std::uint64_t user_ticks = 0, system_ticks = 0, start_time = 0, resident_pages = 0;
  std::uint32_t processor = 0;  ///< the CPU it ran on last
};

/// NotFound: there is no such process.
Result<ProcessStat> read_process_stat(pid_t pid);
/// Of one thread of a process.
Result<ProcessStat> read_thread_stat(pid_t pid, pid_t thread);

/// What `sched`, a text of /proc/PID/task/TID/sched, tells of how long the thread was ready to run, but did
/// not: kernels tell it while kernel.sched_schedstats is on.
std::optional<std::uint64_t> scheduler_wait_ns(std::string_view sched);

/// A process's thread and its name (/proc/PID/task/TID/comm).
struct ProcessThread {
  pid_t id = 0;
  std::string name;
};
/// Empty when the process is gone.
std::vector<ProcessThread> threads_of(pid_t pid);

/// Clock ticks in nanoseconds.
std::uint64_t ticks_to_ns(std::uint64_t ticks);

}  // namespace virttdx::driver
