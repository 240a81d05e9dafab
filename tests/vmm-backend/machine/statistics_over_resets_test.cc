// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine/statistics_over_resets.h"

#include <gtest/gtest.h>

namespace virttdx {
namespace {

StatisticTable table(std::vector<std::vector<std::uint64_t>> rows) {
  return {{{"exits", StatisticKind::Sum, false},
           {"depth", StatisticKind::Peak, false},
           {"blocking", StatisticKind::Current, true}},
          std::move(rows)};
}

TEST(StatisticsOverResets, AreThePresentOnesAtFirst) {
  const HypervisorStatistics now{table({{1, 2, 1}}), table({{3, 4, 0}, {5, 6, 1}})};
  EXPECT_EQ(StatisticsOverResets().total(now), now);
}

TEST(StatisticsOverResets, AddSumsKeepPeaksAndForgetWhatWas) {
  StatisticsOverResets statistics;
  statistics.keep({table({{10, 7, 1}}), table({{1, 9, 1}, {2, 1, 1}})});
  statistics.keep({table({{10, 8, 1}}), table({{1, 2, 1}, {2, 1, 1}})});
  const auto total = statistics.total({table({{5, 3, 0}}), table({{1, 1, 0}, {1, 1, 1}})});
  EXPECT_EQ(total.vm, table({{25, 8, 0}}));
  EXPECT_EQ(total.vcpus, table({{3, 9, 0}, {5, 1, 1}}));
}

TEST(StatisticsOverResets, LeaveOtherColumnsAlone) {
  StatisticsOverResets statistics;
  statistics.keep({{}, table({{10, 7, 1}})});
  const HypervisorStatistics other{{}, {{{"exits", StatisticKind::Peak, false}}, {{4}}}};
  EXPECT_EQ(statistics.total(other), other);
}

}  // namespace
}  // namespace virttdx
