// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "bus/clock.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

/// This machine's clocks. The wall clock is UTC or the process's local time, moved by an offset. Any thread.
class SystemClock final : public Clock {
 public:
  SystemClock(ClockBase base, std::int64_t offset_seconds) : base_(base), offset_seconds_(offset_seconds) {}
  std::uint64_t monotonic_ns() const override;
  std::int64_t wall_seconds() const override;

 private:
  const ClockBase base_;
  const std::int64_t offset_seconds_;
};

}  // namespace virttdx
