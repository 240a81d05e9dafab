// SPDX-License-Identifier: GPL-2.0-or-later
// Questions about I/O threads, CPU time and performance counters.
#include <libvirt/libvirt.h>

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

}  // namespace

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
