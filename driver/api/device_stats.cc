// SPDX-License-Identifier: GPL-2.0-or-later
// Questions about disks, interfaces, I/O threads and CPU time of running domains.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "api/typed_params.h"
#include "process/process_stat.h"

namespace virttdx::driver::api {
namespace {

Result<RecordPtr> find_running(Session& session, const remote_nonnull_domain& dom) {
  RecordPtr record = TRY(find_record(session, dom));
  TRY(check_operation(Operation::Query, record->phase));
  return record;
}

std::string_view shortened(const char* text) { return std::string_view(text).substr(0, 256); }

}  // namespace

Answer domain_block_stats(Session& session, const remote_domain_block_stats_args& args,
                          remote_domain_block_stats_ret&, Arena&) {
  TRY(find_running(session, args.dom));
  return fail(Error::Code::InvalidArgument, "invalid path: {}", shortened(args.path));
}

Answer domain_block_stats_flags(Session& session, const remote_domain_block_stats_flags_args& args,
                                remote_domain_block_stats_flags_ret&, Arena&) {
  CHECK_FLAGS(args.flags, VIR_TYPED_PARAM_STRING_OKAY, "virDomainBlockStatsFlags");
  TRY(find_running(session, args.dom));
  return fail(Error::Code::InvalidArgument, "invalid path: {}", shortened(args.path));
}

Answer domain_get_block_info(Session& session, const remote_domain_get_block_info_args& args,
                             remote_domain_get_block_info_ret&, Arena&) {
  CHECK_FLAGS(args.flags, 0, "virDomainGetBlockInfo");
  TRY(find_record(session, args.dom));
  return fail(Error::Code::InvalidArgument, "invalid path {} not assigned to domain", shortened(args.path));
}

Answer domain_get_block_job_info(Session& session, const remote_domain_get_block_job_info_args& args,
                                 remote_domain_get_block_job_info_ret&, Arena&) {
  CHECK_FLAGS(args.flags, VIR_DOMAIN_BLOCK_JOB_INFO_BANDWIDTH_BYTES, "virDomainGetBlockJobInfo");
  TRY(find_running(session, args.dom));
  return fail(Error::Code::InvalidArgument, "disk '{}' not found in domain", shortened(args.path));
}

Answer domain_get_disk_errors(Session& session, const remote_domain_get_disk_errors_args& args,
                              remote_domain_get_disk_errors_ret&, Arena&) {
  CHECK_FLAGS(args.flags, 0, "virDomainGetDiskErrors");
  TRY(find_running(session, args.dom));
  return {};
}

Answer domain_interface_stats(Session& session, const remote_domain_interface_stats_args& args,
                              remote_domain_interface_stats_ret&, Arena&) {
  TRY(find_running(session, args.dom));
  return fail(Error::Code::InvalidArgument, "'{}' is not a known interface", shortened(args.device));
}

Answer domain_interface_addresses(Session& session, const remote_domain_interface_addresses_args& args,
                                  remote_domain_interface_addresses_ret&, Arena&) {
  CHECK_FLAGS(args.flags, 0, "virDomainInterfaceAddresses");
  if (session.read_only() && args.source == VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)
    return tl::unexpected(read_only_error("virDomainInterfaceAddresses"));
  TRY(find_running(session, args.dom));
  if (args.source == VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)
    return tl::unexpected(wire_error(VIR_ERR_ARGUMENT_UNSUPPORTED, "QEMU guest agent is not configured"));
  if (args.source > VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP)
    return tl::unexpected(wire_error(VIR_ERR_ARGUMENT_UNSUPPORTED,
                                     fmt::format("Unsupported IP address data source {}", args.source)));
  return {};
}

Answer domain_get_iothread_info(Session& session, const remote_domain_get_iothread_info_args& args,
                                remote_domain_get_iothread_info_ret&, Arena&) {
  CHECK_FLAGS(args.flags, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG, "virDomainGetIOThreadInfo");
  TRY(definition_asked(*TRY(find_record(session, args.dom)), args.flags));
  return {};
}

// All CPUs together come from the process; what each CPU of the host gave only a control group counts.
Answer domain_get_cpu_stats(Session& session, const remote_domain_get_cpu_stats_args& args,
                            remote_domain_get_cpu_stats_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, VIR_TYPED_PARAM_STRING_OKAY, "virDomainGetCPUStats");
  const RecordPtr record = TRY(find_running(session, args.dom));
  if (args.start_cpu != -1) return fail(Error::Code::WrongState, "cgroup CPUACCT controller is not mounted");
  const auto stat = TRY(read_process_stat(record->live->process.pid));
  TypedParams params(arena);
  params.add_ullong(VIR_DOMAIN_CPU_STATS_CPUTIME, ticks_to_ns(stat.user_ticks + stat.system_ticks));
  params.add_ullong(VIR_DOMAIN_CPU_STATS_USERTIME, ticks_to_ns(stat.user_ticks));
  params.add_ullong(VIR_DOMAIN_CPU_STATS_SYSTEMTIME, ticks_to_ns(stat.system_ticks));
  auto list = params.take();
  ret.nparams = static_cast<int>(std::min<std::size_t>(list.size(), args.nparams));
  if (args.nparams == 0) ret.nparams = static_cast<int>(list.size());
  list.resize(std::min<std::size_t>(list.size(), args.nparams));
  arena.array(ret.params.params_len, ret.params.params_val, std::move(list));
  return {};
}

Answer domain_get_perf_events(Session& session, const remote_domain_get_perf_events_args& args,
                              remote_domain_get_perf_events_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG | VIR_TYPED_PARAM_STRING_OKAY,
              "virDomainGetPerfEvents");
  TRY(definition_asked(*TRY(find_record(session, args.dom)), args.flags));
  TypedParams params(arena);
  for (const std::string_view name : {VIR_PERF_PARAM_CMT,
                                      VIR_PERF_PARAM_MBMT,
                                      VIR_PERF_PARAM_MBML,
                                      VIR_PERF_PARAM_CPU_CYCLES,
                                      VIR_PERF_PARAM_INSTRUCTIONS,
                                      VIR_PERF_PARAM_CACHE_REFERENCES,
                                      VIR_PERF_PARAM_CACHE_MISSES,
                                      VIR_PERF_PARAM_BRANCH_INSTRUCTIONS,
                                      VIR_PERF_PARAM_BRANCH_MISSES,
                                      VIR_PERF_PARAM_BUS_CYCLES,
                                      VIR_PERF_PARAM_STALLED_CYCLES_FRONTEND,
                                      VIR_PERF_PARAM_STALLED_CYCLES_BACKEND,
                                      VIR_PERF_PARAM_REF_CPU_CYCLES,
                                      VIR_PERF_PARAM_CPU_CLOCK,
                                      VIR_PERF_PARAM_TASK_CLOCK,
                                      VIR_PERF_PARAM_PAGE_FAULTS,
                                      VIR_PERF_PARAM_CONTEXT_SWITCHES,
                                      VIR_PERF_PARAM_CPU_MIGRATIONS,
                                      VIR_PERF_PARAM_PAGE_FAULTS_MIN,
                                      VIR_PERF_PARAM_PAGE_FAULTS_MAJ,
                                      VIR_PERF_PARAM_ALIGNMENT_FAULTS,
                                      VIR_PERF_PARAM_EMULATION_FAULTS})
    params.add_boolean(name, false);
  arena.array(ret.params.params_len, ret.params.params_val, params.take());
  return {};
}

}  // namespace virttdx::driver::api
