// SPDX-License-Identifier: GPL-2.0-or-later
// Where vCPUs and the rest of a monitor run.
#include <fmt/printf.h>
#include <libvirt/libvirt.h>

#include <algorithm>
#include <utility>

#include "api/cpu_maps.h"
#include "api/find_record.h"
#include "api/flags.h"

namespace virttdx::driver::api {
namespace {

void set_pin(domain_xml::Domain& domain, std::uint32_t vcpu, const std::string& cpuset) {
  if (!domain.tuning.cpu) domain.tuning.cpu.emplace();
  auto& pins = domain.tuning.cpu->vcpu_pins;
  const auto at = std::find_if(pins.begin(), pins.end(), [&](const auto& pin) { return pin.vcpu >= vcpu; });
  if (at != pins.end() && at->vcpu == vcpu)
    at->cpuset = cpuset;
  else
    pins.insert(at, {vcpu, cpuset});
}

void announce(Session& session, const DomainRecord& record, std::string pin, const CpuSet& cpus) {
  session.service().announce_tunables(record, {{std::move(pin), domain_xml::format_cpuset(cpus)}});
}

Answer pin_vcpu(Session& session, const remote_nonnull_domain& dom, std::uint32_t vcpu,
                std::span<const char> map, unsigned flags) {
  const RecordPtr record = TRY(find_record(session, dom));
  const Impact impact = TRY(impact_of(*record, flags));
  if (impact.live && vcpu >= record->live->definition.vcpus)
    return fail(Error::Code::InvalidArgument, "vcpu {} is out of range of live cpu count {}", vcpu,
                record->live->definition.vcpus);
  if (impact.config && vcpu >= record->definition->vcpus)
    return fail(Error::Code::InvalidArgument, "vcpu {} is out of range of persistent cpu count {}", vcpu,
                record->definition->vcpus);
  const CpuSet cpus = TRY(read_cpu_map(map));
  if (impact.live) TRY(set_affinity(record->live->process, vcpu, cpus));
  TRY(session.service().change(record, impact, [&](auto& domain) -> Result<> {
    set_pin(domain, vcpu, domain_xml::format_cpuset(cpus));
    return {};
  }));
  if (impact.live) announce(session, *record, fmt::sprintf(VIR_DOMAIN_TUNABLE_CPU_VCPUPIN, vcpu), cpus);
  return {};
}

}  // namespace

Answer domain_pin_vcpu(Session& session, const remote_domain_pin_vcpu_args& args) {
  return pin_vcpu(session, args.dom, args.vcpu, {args.cpumap.cpumap_val, args.cpumap.cpumap_len},
                  VIR_DOMAIN_AFFECT_LIVE);
}

Answer domain_pin_vcpu_flags(Session& session, const remote_domain_pin_vcpu_flags_args& args) {
  CHECK_FLAGS(args.flags, kImpactFlags, "virDomainPinVcpuFlags");
  return pin_vcpu(session, args.dom, args.vcpu, {args.cpumap.cpumap_val, args.cpumap.cpumap_len}, args.flags);
}

Answer domain_pin_emulator(Session& session, const remote_domain_pin_emulator_args& args) {
  CHECK_FLAGS(args.flags, kImpactFlags, "virDomainPinEmulator");
  const RecordPtr record = TRY(find_record(session, args.dom));
  const Impact impact = TRY(impact_of(*record, args.flags));
  const CpuSet cpus = TRY(read_cpu_map({args.cpumap.cpumap_val, args.cpumap.cpumap_len}));
  if (impact.live) TRY(set_affinity(record->live->process, std::nullopt, cpus));
  TRY(session.service().change(record, impact, [&](auto& domain) -> Result<> {
    if (!domain.tuning.cpu) domain.tuning.cpu.emplace();
    domain.tuning.cpu->emulator_cpuset = domain_xml::format_cpuset(cpus);
    return {};
  }));
  if (impact.live) announce(session, *record, VIR_DOMAIN_TUNABLE_CPU_EMULATORPIN, cpus);
  return {};
}

Answer domain_get_vcpu_pin_info(Session& session, const remote_domain_get_vcpu_pin_info_args& args,
                                remote_domain_get_vcpu_pin_info_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, kImpactFlags, "virDomainGetVcpuPinInfo");
  CHECK_ANSWER(check_map_sizes(args.ncpumaps, args.maplen));
  const RecordPtr record = TRY(find_record(session, args.dom));
  const auto& domain = *TRY(definition_asked(*record, args.flags));
  ret.num = static_cast<int>(std::min(domain.vcpus, static_cast<std::uint32_t>(args.ncpumaps)));
  std::vector<char> maps;
  for (std::uint32_t vcpu = 0; std::cmp_less(vcpu, ret.num); ++vcpu)
    append_cpu_map(maps, pinned_cpus(domain, vcpu, session.service().host()),
                   static_cast<std::size_t>(args.maplen));
  arena.array(ret.cpumaps.cpumaps_len, ret.cpumaps.cpumaps_val, std::move(maps));
  return {};
}

Answer domain_get_emulator_pin_info(Session& session, const remote_domain_get_emulator_pin_info_args& args,
                                    remote_domain_get_emulator_pin_info_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, kImpactFlags, "virDomainGetEmulatorPinInfo");
  CHECK_ANSWER(check_map_sizes(1, args.maplen));
  const RecordPtr record = TRY(find_record(session, args.dom));
  const auto& domain = *TRY(definition_asked(*record, args.flags));
  std::vector<char> map;
  append_cpu_map(map, pinned_cpus(domain, std::nullopt, session.service().host()),
                 static_cast<std::size_t>(args.maplen));
  arena.array(ret.cpumaps.cpumaps_len, ret.cpumaps.cpumaps_val, std::move(map));
  ret.ret = 1;
  return {};
}

}  // namespace virttdx::driver::api
