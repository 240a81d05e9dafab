// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's log while it runs.
#include "admin/admin_handlers.h"
#include "api/flags.h"
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

Answer connect_set_logging_outputs(AdminSession&, const admin_connect_set_logging_outputs_args& args) {
  CHECK_FLAGS(args.flags, 0, "virAdmConnectSetLoggingOutputs");
  TRY(use_log_outputs(args.outputs == nullptr ? default_log_outputs()
                                              : TRY(parse_log_outputs(*args.outputs))));
  return {};
}

// Messages belong to no category that a filter could name.
Answer connect_get_logging_filters(AdminSession&, const admin_connect_get_logging_filters_args& args,
                                   admin_connect_get_logging_filters_ret&, Arena&) {
  CHECK_FLAGS(args.flags, 0, "virAdmConnectGetLoggingFilters");
  return {};
}

Answer connect_set_logging_filters(AdminSession&, const admin_connect_set_logging_filters_args& args) {
  CHECK_FLAGS(args.flags, 0, "virAdmConnectSetLoggingFilters");
  if (args.filters == nullptr || **args.filters == '\0') return {};
  return fail(
      Error::Code::Unsupported,
      "messages of this daemon have no categories to filter by; set the level of its outputs instead");
}

}  // namespace virttdx::driver::admin
