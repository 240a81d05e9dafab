// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmm_backend/hypervisor_statistics.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace virttdx {
namespace {

TEST(HypervisorStatistics, ComeBackFromJson) {
  const HypervisorStatistics statistics{
      {{{"pages_4k", StatisticKind::Current, false}}, {{7}}},
      {{{"exits", StatisticKind::Sum, false}, {"blocking", StatisticKind::Current, true}},
       {{UINT64_MAX, 0}, {1, 1}}}};
  const auto read = hypervisor_statistics_from_json(hypervisor_statistics_to_json(statistics));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, statistics);
}

TEST(HypervisorStatistics, HaveAValueForEachColumn) {
  auto json = hypervisor_statistics_to_json({{}, {{{"exits", StatisticKind::Sum, false}}, {{1}, {1, 2}}}});
  EXPECT_EQ(hypervisor_statistics_from_json(json).error().message(),
            "/vcpus/rows: a row has 2 values for 1 columns");
  json["vcpus"]["rows"] = {{1}, nlohmann::json::array()};
  EXPECT_EQ(hypervisor_statistics_from_json(json).error().code(), Error::Code::InvalidData);
}

TEST(HypervisorStatistics, HaveNoMoreColumnsThanAnyKvm) {
  HypervisorStatistics statistics;
  statistics.vm.columns.resize(kStatisticColumnsMaximum);
  EXPECT_TRUE(hypervisor_statistics_from_json(hypervisor_statistics_to_json(statistics)));
  statistics.vm.columns.resize(kStatisticColumnsMaximum + 1);
  EXPECT_EQ(hypervisor_statistics_from_json(hypervisor_statistics_to_json(statistics)).error().message(),
            "/vm/columns: 257 instead of at most 256");
}

}  // namespace
}  // namespace virttdx
