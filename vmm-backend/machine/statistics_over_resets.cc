// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine/statistics_over_resets.h"

#include <algorithm>

namespace virttdx {
namespace {

std::uint64_t joined(StatisticKind kind, std::uint64_t earlier, std::uint64_t now) {
  switch (kind) {
    case StatisticKind::Sum:
      return earlier + now;
    case StatisticKind::Peak:
      return std::max(earlier, now);
    case StatisticKind::Current:
      break;
  }
  return now;
}

// The host's KVM is the same all the time, and so are the columns; earlier has no rows at first.
void join(const StatisticTable& earlier, StatisticTable& now) {
  if (earlier.columns != now.columns) return;
  for (std::size_t row = 0; row < std::min(earlier.rows.size(), now.rows.size()); ++row)
    for (std::size_t i = 0; i < now.columns.size(); ++i)
      now.rows[row][i] = joined(now.columns[i].kind, earlier.rows[row][i], now.rows[row][i]);
}

}  // namespace

HypervisorStatistics StatisticsOverResets::total(HypervisorStatistics now) const {
  join(earlier_.vm, now.vm);
  join(earlier_.vcpus, now.vcpus);
  return now;
}

}  // namespace virttdx
