// SPDX-License-Identifier: GPL-2.0-or-later
// HypervisorStatistics as JSON: schemas/control-protocol.json.
#include "vmm_backend/hypervisor_statistics.h"

#include "control/json_fields.h"

namespace virttdx {

template <>
struct EnumNames<StatisticKind> {
  static constexpr EnumNameTable<StatisticKind, 3> kNames = {
      {{StatisticKind::Sum, "sum"}, {StatisticKind::Current, "current"}, {StatisticKind::Peak, "peak"}}};
};

template <typename Visitor>
void describe(Visitor& visit, StatisticColumn& column) {
  visit.required("name", column.name);
  visit.required("kind", column.kind);
  visit.required("is_boolean", column.is_boolean);
}

template <typename Visitor>
void describe(Visitor& visit, StatisticTable& table) {
  visit.required("columns", table.columns);
  visit.required("rows", table.rows);
}

template <typename Visitor>
void describe(Visitor& visit, HypervisorStatistics& statistics) {
  visit.required("vm", statistics.vm);
  visit.required("vcpus", statistics.vcpus);
}

namespace {

Result<> check_table(const StatisticTable& table, std::string_view name) {
  if (table.columns.size() > kStatisticColumnsMaximum)
    return fail(Error::Code::InvalidData, "/{}/columns: {} instead of at most {}", name, table.columns.size(),
                kStatisticColumnsMaximum);
  for (const auto& row : table.rows)
    if (row.size() != table.columns.size())
      return fail(Error::Code::InvalidData, "/{}/rows: a row has {} values for {} columns", name, row.size(),
                  table.columns.size());
  return {};
}

}  // namespace

Result<HypervisorStatistics> hypervisor_statistics_from_json(const nlohmann::json& json) {
  auto statistics = TRY(from_json<HypervisorStatistics>(json));
  TRY(check_table(statistics.vm, "vm"));
  TRY(check_table(statistics.vcpus, "vcpus"));
  return statistics;
}

nlohmann::json hypervisor_statistics_to_json(const HypervisorStatistics& statistics) {
  return to_json_value(statistics);
}

}  // namespace virttdx
