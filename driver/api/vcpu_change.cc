// SPDX-License-Identifier: GPL-2.0-or-later
// How many virtual CPUs a domain has. A TD's are part of what is built: what runs keeps what it has.
#include <libvirt/libvirt.h>

#include <algorithm>

#include "api/find_record.h"
#include "api/flags.h"
#include "api/guest_vcpus.h"
#include "api/handlers.h"

namespace virttdx::driver::api {
namespace {

constexpr unsigned kFlags = VIR_DOMAIN_VCPU_LIVE | VIR_DOMAIN_VCPU_CONFIG | VIR_DOMAIN_VCPU_MAXIMUM |
                            VIR_DOMAIN_VCPU_GUEST | VIR_DOMAIN_VCPU_HOTPLUGGABLE;

Result<> set_maximum(domain_xml::Domain& domain, std::uint32_t count) {
  if (const auto& topology = domain.cpu ? domain.cpu->topology : std::nullopt)
    if (std::uint64_t{topology->sockets} * topology->dies * topology->cores * topology->threads != count)
      return fail(Error::Code::InvalidArgument, "CPU topology doesn't match the desired vcpu count");
  domain.vcpus = count;
  if (domain.current_vcpus) domain.current_vcpus = std::min(*domain.current_vcpus, count);
  return {};
}

Result<> set_current(domain_xml::Domain& domain, std::uint32_t count) {
  if (count > domain.vcpus)
    return fail(Error::Code::InvalidArgument,
                "requested vcpus is greater than max allowable vcpus for the persistent domain: {} > {}",
                count, domain.vcpus);
  domain.current_vcpus = count == domain.vcpus ? std::nullopt : std::optional(count);
  return {};
}

Answer check_live(const domain_xml::Domain& live, std::uint32_t count, bool maximum) {
  if (maximum)
    return fail(Error::Code::InvalidArgument, "maximum vcpu count of a live domain can't be modified");
  if (count > live.vcpus)
    return fail(Error::Code::InvalidArgument,
                "requested vcpus is greater than max allowable vcpus for the live domain: {} > {}", count,
                live.vcpus);
  if (count == live.current_vcpus.value_or(live.vcpus)) return {};
  return fail(Error::Code::Unsupported,
              "the vCPUs of a TD are fixed when it is built; none can be added or removed");
}

Answer set_vcpus(Session& session, const remote_nonnull_domain& dom, std::uint32_t count, unsigned flags,
                 const Deferred<void>& reply) {
  const RecordPtr record = TRY(find_record(session, dom));
  if (count == 0)
    return fail(Error::Code::InvalidArgument, "nvcpus in virDomainSetVcpusFlags must not be zero");
  Impact impact = TRY(impact_of(*record, flags));
  if ((flags & VIR_DOMAIN_VCPU_GUEST) != 0) {
    set_guest_vcpu_count(session, record, count, reply);
    return {};
  }
  const bool maximum = (flags & VIR_DOMAIN_VCPU_MAXIMUM) != 0;
  if (impact.live) CHECK_ANSWER(check_live(record->live->definition, count, maximum));
  impact.live = false;
  if (impact.config)
    TRY(session.service().change(record, impact, [&](auto& domain) {
      return maximum ? set_maximum(domain, count) : set_current(domain, count);
    }));
  reply.succeed();
  return {};
}

}  // namespace

Answer domain_set_vcpus(Session& session, const remote_domain_set_vcpus_args& args, Deferred<void> reply) {
  return set_vcpus(session, args.dom, args.nvcpus, VIR_DOMAIN_VCPU_LIVE, reply);
}

Answer domain_set_vcpus_flags(Session& session, const remote_domain_set_vcpus_flags_args& args,
                              Deferred<void> reply) {
  CHECK_FLAGS(args.flags, kFlags, "virDomainSetVcpusFlags");
  return set_vcpus(session, args.dom, args.nvcpus, args.flags, reply);
}

}  // namespace virttdx::driver::api
