// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <string>

#include "support/result.h"
#include "support/unique_fd.h"
#include "vmm_backend/device_statistics.h"

namespace virttdx {

/// What the kernel counts of a network device of the host. Any thread.
class KernelCounters {
 public:
  /// Error: no such device.
  static Result<KernelCounters> open(const std::string& device);
  /// As the guest behind a tap device sees it: it receives what the host's device sends.
  InterfaceStatistics of_other_end() const { return read(sent_, received_); }
  /// As the guest behind a macvtap device sees it: the host's device is its own.
  InterfaceStatistics of_device() const { return read(received_, sent_); }

 private:
  enum : std::uint8_t { kBytes, kPackets, kErrors, kDrops, kKinds };
  using Direction = std::array<UniqueFd, kKinds>;
  static InterfaceStatistics read(const Direction& received, const Direction& sent);
  Direction received_, sent_;  ///< by the host's device
};

}  // namespace virttdx
