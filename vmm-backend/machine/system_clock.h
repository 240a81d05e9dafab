// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "bus/clock.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

/// Makes the zone of `config`'s clock, when it names one, the local time of this process. Before there are
/// other threads. As with every TZ of a process, an unknown zone is UTC.
void use_time_zone(const VmConfig& config);

/// This machine's clocks. The wall clock begins with what a configuration says, and runs with the host's from
/// then on: a change of the host's local time (summer time) moves no RTC. Any thread.
class SystemClock final : public Clock {
 public:
  explicit SystemClock(const VmConfig& config);
  std::uint64_t monotonic_ns() const override;
  std::int64_t wall_seconds() const override;

 private:
  std::int64_t offset_seconds_ = 0;  ///< from the host's clock
};

}  // namespace virttdx
