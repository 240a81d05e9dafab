// SPDX-License-Identifier: GPL-2.0-or-later
// Makes chosen ioctls and SEAMCALLs fail (vmm_backend/soft_faults.h).
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "vmm_backend/soft_faults.h"

namespace virttdx::softhost {

/// Thread-safe.
class FaultInjector {
 public:
  explicit FaultInjector(std::vector<SoftFault> faults) : faults_(std::move(faults)) {}

  /// Counts an arrival; the fault that strikes it, or nothing.
  std::optional<SoftFault> arrive(FaultPoint point);
  /// The same for a call from the monitor. A fault's hw_error is written into its argument.
  std::optional<SoftFault> arrive_at_ioctl(unsigned long request, std::uintptr_t argument);
  /// The status that `call`, a SEAMCALL, answers; a fault's instead, without making the call.
  template <typename Call>
  std::uint64_t seamcall(FaultPoint point, Call call) {
    const auto fault = arrive(point);
    return fault ? fault->hw_error : call();
  }

 private:
  static constexpr std::size_t kPoints = static_cast<std::size_t>(FaultPoint::TdhMrFinalize) + 1;
  const std::vector<SoftFault> faults_;
  std::mutex mutex_;
  std::array<std::uint64_t, kPoints> arrivals_{};  // guarded by mutex_
};

}  // namespace virttdx::softhost
