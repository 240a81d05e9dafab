// SPDX-License-Identifier: GPL-2.0-or-later
// Jobs that take a domain's time, and snapshots and checkpoints, of which a TD has none.
#include <libvirt/libvirt.h>

#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"

namespace virttdx::driver::api {
namespace {

Answer check_running(Session& session, const remote_nonnull_domain& dom) {
  TRY(check_operation(Operation::Query, TRY(find_record(session, dom))->phase));
  return {};
}

// Every flag up to the last one that libvirt's list calls have.
constexpr unsigned kSnapshotFilters = (VIR_DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL << 1) - 1;
constexpr unsigned kCheckpointFilters = (VIR_DOMAIN_CHECKPOINT_LIST_NO_LEAVES << 1) - 1;

}  // namespace

Answer domain_get_job_info(Session& session, const remote_domain_get_job_info_args& args,
                           remote_domain_get_job_info_ret& ret, Arena&) {
  CHECK_ANSWER(check_running(session, args.dom));
  ret.type = VIR_DOMAIN_JOB_NONE;
  return {};
}

Answer domain_get_job_stats(Session& session, const remote_domain_get_job_stats_args& args,
                            remote_domain_get_job_stats_ret& ret, Arena&) {
  CHECK_FLAGS(args.flags, VIR_DOMAIN_JOB_STATS_COMPLETED | VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED,
              "virDomainGetJobStats");
  if ((args.flags & VIR_DOMAIN_JOB_STATS_COMPLETED) == 0)
    CHECK_ANSWER(check_running(session, args.dom));
  else
    TRY(find_record(session, args.dom));
  ret.type = VIR_DOMAIN_JOB_NONE;
  return {};
}

// Whether the monitor's socket answers commands that were sent; nothing is sent to find out.
Answer domain_get_control_info(Session& session, const remote_domain_get_control_info_args& args,
                               remote_domain_get_control_info_ret& ret, Arena&) {
  CHECK_FLAGS(args.flags, 0, "virDomainGetControlInfo");
  const RecordPtr record = TRY(find_record(session, args.dom));
  TRY(check_operation(Operation::Query, record->phase));
  const auto& monitor = record->live->monitor;
  const auto waiting = monitor ? monitor->oldest_wait() : std::nullopt;
  ret.state = !monitor  ? VIR_DOMAIN_CONTROL_ERROR
              : waiting ? VIR_DOMAIN_CONTROL_OCCUPIED
                        : VIR_DOMAIN_CONTROL_OK;
  ret.details = monitor ? VIR_DOMAIN_CONTROL_ERROR_REASON_NONE : VIR_DOMAIN_CONTROL_ERROR_REASON_MONITOR;
  if (waiting) ret.stateTime = static_cast<std::uint64_t>(waiting->count());
  return {};
}

Answer domain_has_current_snapshot(Session& session, const remote_domain_has_current_snapshot_args& args,
                                   remote_domain_has_current_snapshot_ret& ret, Arena&) {
  CHECK_FLAGS(args.flags, 0, "virDomainHasCurrentSnapshot");
  TRY(find_record(session, args.dom));
  ret.result = 0;
  return {};
}

Answer domain_snapshot_num(Session& session, const remote_domain_snapshot_num_args& args,
                           remote_domain_snapshot_num_ret& ret, Arena&) {
  CHECK_FLAGS(args.flags, kSnapshotFilters, "virDomainSnapshotNum");
  TRY(find_record(session, args.dom));
  ret.num = 0;
  return {};
}

Answer domain_snapshot_list_names(Session& session, const remote_domain_snapshot_list_names_args& args,
                                  remote_domain_snapshot_list_names_ret&, Arena&) {
  CHECK_FLAGS(args.flags, kSnapshotFilters, "virDomainSnapshotListNames");
  TRY(find_record(session, args.dom));
  return {};
}

Answer domain_list_all_snapshots(Session& session, const remote_domain_list_all_snapshots_args& args,
                                 remote_domain_list_all_snapshots_ret&, Arena&) {
  CHECK_FLAGS(args.flags, kSnapshotFilters, "virDomainListAllSnapshots");
  TRY(find_record(session, args.dom));
  return {};
}

Answer domain_list_all_checkpoints(Session& session, const remote_domain_list_all_checkpoints_args& args,
                                   remote_domain_list_all_checkpoints_ret&, Arena&) {
  CHECK_FLAGS(args.flags, kCheckpointFilters, "virDomainListAllCheckpoints");
  TRY(find_record(session, args.dom));
  return {};
}

}  // namespace virttdx::driver::api
