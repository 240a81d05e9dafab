// SPDX-License-Identifier: GPL-2.0-or-later
// Virtual CPUs: how many, and what each has used.
#include <libvirt/libvirt.h>

#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"

namespace virttdx::driver::api {
namespace {

constexpr unsigned kVcpuFlags = VIR_DOMAIN_VCPU_LIVE | VIR_DOMAIN_VCPU_CONFIG | VIR_DOMAIN_VCPU_MAXIMUM;

// The definition that LIVE, CONFIG or neither means.
Result<const domain_xml::Domain*> definition_meant(const DomainRecord& record, unsigned flags) {
  if ((flags & VIR_DOMAIN_VCPU_LIVE) != 0 && !record.live)
    return fail(Error::Code::WrongState, "domain is not running");
  if ((flags & VIR_DOMAIN_VCPU_CONFIG) == 0) return &record.current();
  if (!record.definition)
    return fail(Error::Code::WrongState, "transient domains do not have any persistent config");
  return &*record.definition;
}

// A bit a processor of the host, for each of `count` vCPUs: monitors are not pinned.
std::vector<char> unpinned_maps(const HostAccess& host, std::size_t count, std::size_t map_length) {
  std::vector<char> maps(count * map_length);
  for (std::size_t vcpu = 0; vcpu < count; ++vcpu)
    for (const auto& cell : host.description.cells)
      for (const auto& cpu : cell.cpus)
        if (cpu.id / 8 < map_length) {
          char& byte = maps[vcpu * map_length + cpu.id / 8];
          byte = static_cast<char>(byte | 1 << cpu.id % 8);
        }
  return maps;
}

Answer check_sizes(int count, int map_length) {
  if (count < 0 || count > REMOTE_VCPUINFO_MAX || map_length < 0 ||
      static_cast<std::int64_t>(count) * map_length > REMOTE_CPUMAPS_MAX)
    return fail(Error::Code::InvalidArgument, "maxinfo {} and maplen {} exceed what a reply may hold", count,
                map_length);
  return {};
}

void reply_with_vcpus(const DomainRecord& record, const HostAccess& host, int max_info, int map_length,
                      const Deferred<remote_domain_get_vcpus_ret>& reply) {
  Arena arena;
  remote_domain_get_vcpus_ret ret{};
  const std::size_t count = std::min<std::size_t>(record.current().vcpus, static_cast<std::size_t>(max_info));
  const auto& times = record.live->status.vcpu_time_ns;
  std::vector<remote_vcpu_info> info(count);
  for (std::size_t i = 0; i < count; ++i)
    info[i] = {.number = static_cast<u_int>(i),
               .state = record.phase == Phase::Running ? VIR_VCPU_RUNNING : VIR_VCPU_BLOCKED,
               .cpu_time = i < times.size() ? times[i] : 0,
               .cpu = VIR_VCPU_INFO_CPU_UNAVAILABLE};
  arena.array(ret.info.info_len, ret.info.info_val, std::move(info));
  arena.array(ret.cpumaps.cpumaps_len, ret.cpumaps.cpumaps_val,
              unpinned_maps(host, count, static_cast<std::size_t>(map_length)));
  reply.succeed(ret);
}

}  // namespace

Answer domain_get_max_vcpus(Session& session, const remote_domain_get_max_vcpus_args& args,
                            remote_domain_get_max_vcpus_ret& ret, Arena&) {
  ret.num = static_cast<int>(TRY(find_record(session, args.dom))->current().vcpus);
  return {};
}

Answer domain_get_vcpus_flags(Session& session, const remote_domain_get_vcpus_flags_args& args,
                              remote_domain_get_vcpus_flags_ret& ret, Arena&) {
  CHECK_FLAGS(args.flags, kVcpuFlags, "virDomainGetVcpusFlags");
  const RecordPtr record = TRY(find_record(session, args.dom));
  const auto& domain = *TRY(definition_meant(*record, args.flags));
  const bool maximum = (args.flags & VIR_DOMAIN_VCPU_MAXIMUM) != 0;
  ret.num = static_cast<int>(maximum ? domain.vcpus : domain.current_vcpus.value_or(domain.vcpus));
  return {};
}

Answer domain_get_vcpu_pin_info(Session& session, const remote_domain_get_vcpu_pin_info_args& args,
                                remote_domain_get_vcpu_pin_info_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG, "virDomainGetVcpuPinInfo");
  if (const auto checked = check_sizes(args.ncpumaps, args.maplen); !checked) return checked;
  const RecordPtr record = TRY(find_record(session, args.dom));
  const auto& domain = *TRY(definition_meant(*record, args.flags));
  ret.num = static_cast<int>(std::min(domain.vcpus, static_cast<std::uint32_t>(args.ncpumaps)));
  arena.array(ret.cpumaps.cpumaps_len, ret.cpumaps.cpumaps_val,
              unpinned_maps(session.service().host(), static_cast<std::size_t>(ret.num),
                            static_cast<std::size_t>(args.maplen)));
  return {};
}

Answer domain_get_vcpus(Session& session, const remote_domain_get_vcpus_args& args,
                        Deferred<remote_domain_get_vcpus_ret> reply) {
  if (const auto checked = check_sizes(args.maxinfo, args.maplen); !checked) return checked;
  const RecordPtr record = TRY(find_record(session, args.dom));
  session.service().refresh_status(record, [record, &host = session.service().host(), max_info = args.maxinfo,
                                            map_length = args.maplen, reply](const Result<>& refreshed) {
    if (!refreshed) return reply.fail(refreshed.error());
    if (!record->live) return reply.fail(Error(Error::Code::WrongState, "domain is not running"));
    reply_with_vcpus(*record, host, max_info, map_length, reply);
  });
  return {};
}

}  // namespace virttdx::driver::api
