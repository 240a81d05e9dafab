// SPDX-License-Identifier: GPL-2.0-or-later
// Statistics: memory of one domain, and virConnectGetAllDomainStats.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <array>

#include "api/domain_filter.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "api/typed_params.h"
#include "domain/affinity.h"
#include "process/process_stat.h"

namespace virttdx::driver::api {
namespace {

void add_state(const DomainRecord& record, TypedParams& params) {
  params.add_int("state.state", libvirt_state(record.phase));
  params.add_int("state.reason", record.reason);
}

void add_cpu(const DomainRecord& record, TypedParams& params) {
  if (!record.live) return;
  const auto stat = read_process_stat(record.live->process.pid);
  if (!stat) return;
  params.add_ullong("cpu.time", ticks_to_ns(stat->user_ticks + stat->system_ticks));
  params.add_ullong("cpu.user", ticks_to_ns(stat->user_ticks));
  params.add_ullong("cpu.system", ticks_to_ns(stat->system_ticks));
}

void add_balloon(const DomainRecord& record, TypedParams& params) {
  const auto& domain = record.current();
  params.add_ullong("balloon.current", domain.current_memory_kib.value_or(domain.memory_kib));
  params.add_ullong("balloon.maximum", domain.memory_kib);
  if (record.live) params.add_ullong("balloon.last-update", 0);
  if (record.live) params.add_ullong("balloon.rss", resident_kib(record.live->process));
}

void add_vcpu(const DomainRecord& record, TypedParams& params) {
  const auto& domain = record.current();
  params.add_uint("vcpu.current", domain.current_vcpus.value_or(domain.vcpus));
  params.add_uint("vcpu.maximum", domain.vcpus);
  if (!record.live) return;
  const int state = record.phase == Phase::Running ? VIR_VCPU_RUNNING : VIR_VCPU_BLOCKED;
  const auto uses = vcpu_uses(record.live->process, domain.vcpus);
  for (std::size_t i = 0; i < uses.size(); ++i) {
    params.add_int(fmt::format("vcpu.{}.state", i), state);
    if (!uses[i]) continue;
    params.add_ullong(fmt::format("vcpu.{}.time", i), uses[i]->time_ns);
    if (uses[i]->delay_ns) params.add_ullong(fmt::format("vcpu.{}.delay", i), *uses[i]->delay_ns);
  }
}

// Counts of devices come for running and other domains alike.
void add_interfaces(const DomainRecord&, TypedParams& params) { params.add_uint("net.count", 0); }
void add_block(const DomainRecord&, TypedParams& params) { params.add_uint("block.count", 0); }
void add_iothreads(const DomainRecord& record, TypedParams& params) {
  if (record.live) params.add_uint("iothread.count", 0);
}
// KVM counts no events in a TD, nothing measures its memory bandwidth or how fast it dirties pages.
void add_nothing(const DomainRecord&, TypedParams&) {}

struct StatsGroup {
  unsigned flag;
  void (*add)(const DomainRecord&, TypedParams&);
};
constexpr std::array kGroups = {StatsGroup{VIR_DOMAIN_STATS_STATE, add_state},
                                StatsGroup{VIR_DOMAIN_STATS_CPU_TOTAL, add_cpu},
                                StatsGroup{VIR_DOMAIN_STATS_BALLOON, add_balloon},
                                StatsGroup{VIR_DOMAIN_STATS_VCPU, add_vcpu},
                                StatsGroup{VIR_DOMAIN_STATS_INTERFACE, add_interfaces},
                                StatsGroup{VIR_DOMAIN_STATS_BLOCK, add_block},
                                StatsGroup{VIR_DOMAIN_STATS_PERF, add_nothing},
                                StatsGroup{VIR_DOMAIN_STATS_IOTHREAD, add_iothreads},
                                StatsGroup{VIR_DOMAIN_STATS_MEMORY, add_nothing},
                                StatsGroup{VIR_DOMAIN_STATS_DIRTYRATE, add_nothing},
                                StatsGroup{VIR_DOMAIN_STATS_VM, add_nothing}};

constexpr unsigned kAllGroups = [] {
  unsigned groups = 0;
  for (const auto& group : kGroups) groups |= group.flag;
  return groups;
}();
constexpr unsigned kStatsFlags = VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT |
                                 VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING |
                                 VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS;
constexpr unsigned kStatsFilters =
    VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE |
    VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT | VIR_CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT |
    VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING | VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED |
    VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF | VIR_CONNECT_GET_ALL_DOMAINS_STATS_OTHER;

// Domains that have gone in the meantime are left out, as when all are asked for.
std::vector<RecordPtr> records_meant(Session& session, const remote_connect_get_all_domain_stats_args& args) {
  if (args.doms.doms_len == 0) return select_domains(session, args.flags & kStatsFilters);
  std::vector<RecordPtr> records;
  for (u_int i = 0; i < args.doms.doms_len; ++i)
    if (const auto record = find_record(session, args.doms.doms_val[i])) records.push_back(*record);
  return records;
}

std::vector<remote_domain_stats_record> gather_stats(Arena& arena, const std::vector<RecordPtr>& records,
                                                     unsigned groups) {
  std::vector<remote_domain_stats_record> stats;
  for (const auto& record : records) {
    if (!record->persistent() && !record->live) continue;
    TypedParams params(arena);
    for (const auto& group : kGroups)
      if ((groups & group.flag) != 0) group.add(*record, params);
    auto& row = stats.emplace_back();
    row.dom = wire_domain(arena, *record);
    arena.array(row.params.params_len, row.params.params_val, params.take());
  }
  return stats;
}

}  // namespace

Answer domain_memory_stats(Session& session, const remote_domain_memory_stats_args& args,
                           remote_domain_memory_stats_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, 0, "virDomainMemoryStats");
  const RecordPtr record = TRY(find_record(session, args.dom));
  TRY(check_operation(Operation::Query, record->phase));
  std::vector<remote_domain_memory_stat> stats = {
      {.tag = VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, .val = record->current().memory_kib},
      {.tag = VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE, .val = 0},
      {.tag = VIR_DOMAIN_MEMORY_STAT_RSS, .val = resident_kib(record->live->process)}};
  if (stats.size() > args.maxStats) stats.resize(args.maxStats);
  arena.array(ret.stats.stats_len, ret.stats.stats_val, std::move(stats));
  return {};
}

Answer connect_get_all_domain_stats(Session& session, const remote_connect_get_all_domain_stats_args& args,
                                    remote_connect_get_all_domain_stats_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, kStatsFilters | kStatsFlags, "virConnectGetAllDomainStats");
  const bool enforce = (args.flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS) != 0;
  if (enforce && (args.stats & ~kAllGroups) != 0) {
    WireError error =
        Error(Error::Code::InvalidArgument,
              fmt::format("stats types bits 0x{:x} are not supported", args.stats & ~kAllGroups));
    error.code = VIR_ERR_ARGUMENT_UNSUPPORTED;
    return tl::unexpected(error);
  }
  const unsigned groups = args.stats == 0 ? kAllGroups : args.stats & kAllGroups;
  arena.array(ret.retStats.retStats_len, ret.retStats.retStats_val,
              gather_stats(arena, records_meant(session, args), groups));
  return {};
}

}  // namespace virttdx::driver::api
