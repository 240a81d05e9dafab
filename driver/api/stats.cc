// SPDX-License-Identifier: GPL-2.0-or-later
// Statistics: memory of one domain, and virConnectGetAllDomainStats.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/domain_filter.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "api/stats_groups.h"

namespace virttdx::driver::api {
namespace {

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
    if (const auto record = find_record(session, args.doms.doms_val[i]); record && session.may_see(**record))
      records.push_back(*record);
  return records;
}

// What a domain's monitor has answered, and the sizes of images of one that has none.
struct Told {
  std::optional<DeviceStatistics> devices;
  std::optional<HypervisorStatistics> hypervisor;
  std::map<Image, ImageSize> images;
};

// One call's worth of domains, until every monitor and image that is asked for has answered.
struct StatsQuery {
  Deferred<remote_connect_get_all_domain_stats_ret> reply;
  std::vector<RecordPtr> records;
  unsigned groups;
  std::map<std::string, Told> told = {};  ///< by uuid
};

template <typename T>
const T* pointer_to(const std::optional<T>& value) {
  return value ? &*value : nullptr;
}

void answer(const StatsQuery& query) {
  Arena arena;
  std::vector<remote_domain_stats_record> rows;
  for (const auto& record : query.records) {
    if (!record->persistent() && !record->live) continue;
    TypedParams params(arena);
    StatsSubject subject{.record = *record};
    if (const auto told = query.told.find(record->uuid); told != query.told.end()) {
      subject.devices = pointer_to(told->second.devices);
      subject.hypervisor = pointer_to(told->second.hypervisor);
      subject.images = told->second.images;
    }
    add_stats(subject, query.groups, params);
    auto& row = rows.emplace_back();
    row.dom = wire_domain(arena, *record);
    arena.array(row.params.params_len, row.params.params_val, params.take());
  }
  remote_connect_get_all_domain_stats_ret ret{};
  arena.array(ret.retStats.retStats_len, ret.retStats.retStats_val, std::move(rows));
  query.reply.succeed(ret);
}

// Whoever lets go of it last answers.
std::shared_ptr<StatsQuery> shared_query(StatsQuery query) {
  return {new StatsQuery(std::move(query)), [](StatsQuery* complete) {
            answer(*complete);
            delete complete;
          }};
}

// NOWAIT leaves out what a monitor would have to be waited for.
bool can_be_asked(const DomainRecord& record, bool wait) {
  if (!check_operation(Operation::Query, record.phase) || !record.live->monitor) return false;
  return wait || !record.live->monitor->oldest_wait();
}

void ask_for_devices(DomainService& service, const RecordPtr& record,
                     const std::shared_ptr<StatsQuery>& query) {
  service.device_statistics(record, [query, uuid = record->uuid](Result<DeviceStatistics> statistics) {
    if (statistics) query->told[uuid].devices = *std::move(statistics);
  });
}

// A monitor from before an upgrade of the package may not know the command.
void ask_for_hypervisor(DomainService& service, const RecordPtr& record,
                        const std::shared_ptr<StatsQuery>& query) {
  service.ask_monitor(record, control_command::kHypervisorStatistics, nlohmann::json::object(),
                      [query, uuid = record->uuid](const Result<ControlReply>& reply) {
                        if (!reply) return;
                        if (auto told = hypervisor_statistics_from_json(*reply->result))
                          query->told[uuid].hypervisor = *std::move(told);
                      });
}

void ask_for_images(ImageSizes& sizes, const std::shared_ptr<StatsQuery>& query) {
  for (const auto& record : query->records) {
    if (!record->persistent()) continue;
    for (const auto& image : images_needed(*record, query->groups))
      sizes.ask(image, [query, image, uuid = record->uuid](const Result<ImageSize>& size) {
        if (size) query->told[uuid].images[image] = *size;
      });
  }
}

void ask_monitors(DomainService& service, const std::shared_ptr<StatsQuery>& query, bool wait) {
  for (const auto& record : query->records) {
    if (!can_be_asked(*record, wait)) continue;
    if (needs_device_statistics(record->live->definition.devices, query->groups))
      ask_for_devices(service, record, query);
    if (needs_hypervisor_statistics(query->groups)) ask_for_hypervisor(service, record, query);
  }
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
                                    Deferred<remote_connect_get_all_domain_stats_ret> reply) {
  CHECK_FLAGS(args.flags, kStatsFilters | kStatsFlags, "virConnectGetAllDomainStats");
  const unsigned known = all_stats_groups();
  const bool enforce = (args.flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS) != 0;
  if (enforce && (args.stats & ~known) != 0)
    return tl::unexpected(
        wire_error(VIR_ERR_ARGUMENT_UNSUPPORTED,
                   fmt::format("stats types bits 0x{:x} are not supported", args.stats & ~known)));
  const auto query = shared_query({.reply = std::move(reply),
                                   .records = records_meant(session, args),
                                   .groups = args.stats == 0 ? known : args.stats & known});
  ask_for_images(session.context().image_sizes, query);
  ask_monitors(session.service(), query, (args.flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT) == 0);
  return {};
}

}  // namespace virttdx::driver::api
