// SPDX-License-Identifier: GPL-2.0-or-later
// ExitStatistics as JSON: schemas/control-protocol.json.
#include "vmm_backend/exit_statistics.h"

#include "control/json_fields.h"

namespace virttdx {

template <typename Visitor>
void describe(Visitor& visit, ExitCount& exit) {
  visit.required("reason", exit.reason);
  visit.optional("td_vmcall", exit.td_vmcall);
  visit.optional("port", exit.port);
  visit.optional("gpa", exit.gpa);
  visit.optional("write", exit.write);
  visit.required("count", exit.count);
  visit.required("total_ns", exit.total_ns);
  visit.required("maximum_ns", exit.maximum_ns);
  visit.required("histogram", exit.histogram);
}

template <typename Visitor>
void describe(Visitor& visit, ExitStatistics& statistics) {
  visit.required("elapsed_ns", statistics.elapsed_ns);
  visit.required("untold", statistics.untold);
  visit.required("exits", statistics.exits);
}

Result<ExitStatistics> exit_statistics_from_json(const nlohmann::json& json) {
  return from_json<ExitStatistics>(json);
}

nlohmann::json exit_statistics_to_json(const ExitStatistics& statistics) { return to_json_value(statistics); }

}  // namespace virttdx
