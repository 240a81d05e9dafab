// SPDX-License-Identifier: GPL-2.0-or-later
// Virtual CPUs: how many, and what each has used.
#include <libvirt/libvirt.h>

#include <algorithm>

#include "api/cpu_maps.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "api/guest_vcpus.h"

namespace virttdx::driver::api {
namespace {

constexpr unsigned kVcpuFlags =
    VIR_DOMAIN_VCPU_LIVE | VIR_DOMAIN_VCPU_CONFIG | VIR_DOMAIN_VCPU_MAXIMUM | VIR_DOMAIN_VCPU_GUEST;

}  // namespace

Answer domain_get_max_vcpus(Session& session, const remote_domain_get_max_vcpus_args& args,
                            remote_domain_get_max_vcpus_ret& ret, Arena&) {
  // libvirt's meaning: the live maximum.
  const RecordPtr record = TRY(find_record(session, args.dom));
  ret.num = static_cast<int>(TRY(definition_asked(*record, VIR_DOMAIN_AFFECT_LIVE))->vcpus);
  return {};
}

Answer domain_get_vcpus_flags(Session& session, const remote_domain_get_vcpus_flags_args& args,
                              Deferred<remote_domain_get_vcpus_flags_ret> reply) {
  CHECK_FLAGS(args.flags, kVcpuFlags, "virDomainGetVcpusFlags");
  const RecordPtr record = TRY(find_record(session, args.dom));
  const auto& domain = *TRY(definition_asked(*record, args.flags));
  if ((args.flags & VIR_DOMAIN_VCPU_GUEST) != 0) {
    if (!record->live)
      return fail(Error::Code::InvalidArgument,
                  "vCPU count provided by the guest agent can only be requested for live domains");
    count_guest_vcpus(session, record, reply);
    return {};
  }
  const bool maximum = (args.flags & VIR_DOMAIN_VCPU_MAXIMUM) != 0;
  reply.succeed(
      {.num = static_cast<int>(maximum ? domain.vcpus : domain.current_vcpus.value_or(domain.vcpus))});
  return {};
}

Answer domain_get_vcpus(Session& session, const remote_domain_get_vcpus_args& args,
                        remote_domain_get_vcpus_ret& ret, Arena& arena) {
  CHECK_ANSWER(check_map_sizes(args.maxinfo, args.maplen));
  const RecordPtr record = TRY(find_record(session, args.dom));
  if (!record->live)
    return fail(Error::Code::WrongState, "cannot retrieve vcpu information for inactive domain");
  const auto& live = *record->live;
  const auto uses =
      vcpu_uses(live.process, std::min(live.definition.vcpus, static_cast<std::uint32_t>(args.maxinfo)));
  std::vector<remote_vcpu_info> info;
  std::vector<char> maps;
  for (std::uint32_t i = 0; i < uses.size(); ++i) {
    info.push_back(
        {.number = i,
         .state = record->phase == Phase::Running ? VIR_VCPU_RUNNING : VIR_VCPU_BLOCKED,
         .cpu_time = uses[i] ? uses[i]->time_ns : 0,
         .cpu = uses[i] ? static_cast<int>(uses[i]->processor) : int{VIR_VCPU_INFO_CPU_UNAVAILABLE}});
    const auto cpus = affinity_of(live.process, i);
    append_cpu_map(maps, cpus ? *cpus : pinned_cpus(live.definition, i, session.service().host()),
                   static_cast<std::size_t>(args.maplen));
  }
  arena.array(ret.info.info_len, ret.info.info_val, std::move(info));
  arena.array(ret.cpumaps.cpumaps_len, ret.cpumaps.cpumaps_val, std::move(maps));
  return {};
}

}  // namespace virttdx::driver::api
