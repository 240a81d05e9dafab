// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain/impact.h"

#include <libvirt/libvirt.h>

namespace virttdx::driver {

Result<> check_impact(const DomainRecord& record, const Impact& impact) {
  if (impact.live && !record.live) return fail(Error::Code::WrongState, "domain is not running");
  if (impact.config && !record.definition)
    return fail(Error::Code::WrongState, "transient domains do not have any persistent config");
  return {};
}

Result<Impact> impact_of(const DomainRecord& record, unsigned flags) {
  Impact impact{.live = (flags & VIR_DOMAIN_AFFECT_LIVE) != 0,
                .config = (flags & VIR_DOMAIN_AFFECT_CONFIG) != 0};
  if (!impact.live && !impact.config) (record.live ? impact.live : impact.config) = true;
  TRY(check_impact(record, impact));
  return impact;
}

Result<const domain_xml::Domain*> definition_asked(const DomainRecord& record, unsigned flags) {
  constexpr unsigned kBoth = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG;
  if ((flags & kBoth) == kBoth)
    return fail(Error::Code::InvalidArgument,
                "flags 'VIR_DOMAIN_AFFECT_LIVE' and 'VIR_DOMAIN_AFFECT_CONFIG' are mutually exclusive");
  const Impact impact = TRY(impact_of(record, flags));
  return impact.live ? &record.live->definition : &*record.definition;
}

}  // namespace virttdx::driver
