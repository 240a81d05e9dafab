// SPDX-License-Identifier: GPL-2.0-or-later
// How much memory a domain has. A TD's is given when it is built: what runs keeps what it has.
#include <libvirt/libvirt.h>

#include <algorithm>

#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"

namespace virttdx::driver::api {
namespace {

Result<> set_current(domain_xml::Domain& domain, std::uint64_t kib) {
  if (kib > domain.memory_kib)
    return fail(Error::Code::InvalidArgument, "cannot set memory higher than max memory");
  domain.current_memory_kib = kib;
  return {};
}

// Their sizes add up to it.
bool has_numa_cells(const domain_xml::Domain& domain) {
  return domain.cpu &&
         std::ranges::count(domain.cpu->others, "numa", &domain_xml::OtherElement::element) != 0;
}

void set_maximum(domain_xml::Domain& domain, std::uint64_t kib) {
  domain.memory_kib = kib;
  domain.current_memory_kib = std::min(domain.current_memory_kib.value_or(kib), kib);
}

Answer set_memory(Session& session, const remote_nonnull_domain& dom, std::uint64_t kib, unsigned flags) {
  const RecordPtr record = TRY(find_record(session, dom));
  if (kib == 0)
    return fail(Error::Code::InvalidArgument, "memory in virDomainSetMemoryFlags must not be zero");
  const bool maximum = (flags & VIR_DOMAIN_MEM_MAXIMUM) != 0;
  const Impact impact = TRY(impact_of(*record, flags));
  if (impact.live && maximum)
    return fail(Error::Code::WrongState, "cannot resize the maximum memory on an active domain");
  if (impact.live && kib > record->live->definition.memory_kib)
    return fail(Error::Code::InvalidArgument, "cannot set memory higher than max memory");
  if (impact.live)
    return fail(Error::Code::WrongState,
                "Unable to change memory of active domain without the balloon device and guest OS balloon "
                "driver");
  TRY(session.service().change(record, impact, [&](auto& domain) -> Result<> {
    if (maximum && has_numa_cells(domain))
      return fail(Error::Code::WrongState,
                  "initial memory size of a domain with NUMA nodes cannot be modified with this API");
    if (!maximum) return set_current(domain, kib);
    set_maximum(domain, kib);
    return {};
  }));
  return {};
}

}  // namespace

Answer domain_set_max_memory(Session& session, const remote_domain_set_max_memory_args& args) {
  return set_memory(session, args.dom, args.memory, VIR_DOMAIN_MEM_MAXIMUM);
}

Answer domain_set_memory(Session& session, const remote_domain_set_memory_args& args) {
  return set_memory(session, args.dom, args.memory, VIR_DOMAIN_AFFECT_LIVE);
}

Answer domain_set_memory_flags(Session& session, const remote_domain_set_memory_flags_args& args) {
  CHECK_FLAGS(args.flags, kImpactFlags | VIR_DOMAIN_MEM_MAXIMUM, "virDomainSetMemoryFlags");
  return set_memory(session, args.dom, args.memory, args.flags);
}

}  // namespace virttdx::driver::api
