// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "vmm_backend/hypervisor_statistics.h"

namespace virttdx {

/// KVM counts from 0 in the new TD that a reset makes; a domain's counts go on.
class StatisticsOverResets {
 public:
  /// What the TD that is about to end has counted.
  void keep(const HypervisorStatistics& ended) { earlier_ = total(ended); }
  /// `now` of the present TD, with all kept before.
  HypervisorStatistics total(HypervisorStatistics now) const;

 private:
  HypervisorStatistics earlier_;
};

}  // namespace virttdx
