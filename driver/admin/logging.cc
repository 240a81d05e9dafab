// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's log while it runs.
#include "admin/admin_handlers.h"
#include "api/flags.h"
#include "config/log_filters.h"
#include "config/log_outputs.h"

namespace virttdx::driver::admin {

Answer connect_get_logging_outputs(AdminSession&, const admin_connect_get_logging_outputs_args& args,
                                   admin_connect_get_logging_outputs_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, 0, "virAdmConnectGetLoggingOutputs");
  const auto outputs = current_log_outputs();
  ret.outputs = arena.text(format_log_outputs(outputs));
  ret.noutputs = static_cast<u_int>(outputs.size());
  return {};
}

// Nothing, and an empty text, are the default.
Answer connect_set_logging_outputs(AdminSession&, const admin_connect_set_logging_outputs_args& args) {
  CHECK_FLAGS(args.flags, 0, "virAdmConnectSetLoggingOutputs");
  std::vector<LogOutput> outputs;
  if (args.outputs != nullptr) outputs = TRY(parse_log_outputs(*args.outputs));
  TRY(use_log_outputs(std::move(outputs)));
  return {};
}

Answer connect_get_logging_filters(AdminSession&, const admin_connect_get_logging_filters_args& args,
                                   admin_connect_get_logging_filters_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, 0, "virAdmConnectGetLoggingFilters");
  const auto& filters = current_log_filters();
  ret.filters = filters.empty() ? nullptr : arena.optional_text(format_log_filters(filters));
  ret.nfilters = static_cast<u_int>(filters.size());
  return {};
}

// Nothing, and an empty text, leave none.
Answer connect_set_logging_filters(AdminSession&, const admin_connect_set_logging_filters_args& args) {
  CHECK_FLAGS(args.flags, 0, "virAdmConnectSetLoggingFilters");
  std::vector<log::Filter> filters;
  if (args.filters != nullptr) filters = TRY(parse_log_filters(*args.filters));
  use_log_filters(std::move(filters));
  return {};
}

}  // namespace virttdx::driver::admin
