// SPDX-License-Identifier: GPL-2.0-or-later
// virDomainModificationImpact: which of a domain's two definitions a change or a question is about.
#pragma once

#include "domain/domain_record.h"

namespace virttdx::driver {

struct Impact {
  bool live = false;
  bool config = false;
};

/// Whether the definitions of `impact` exist; WrongState with libvirt's words when not.
Result<> check_impact(const DomainRecord& record, const Impact& impact);

/// VIR_DOMAIN_AFFECT_LIVE and VIR_DOMAIN_AFFECT_CONFIG of `flags`; neither means the definition in force.
/// Other bits are ignored. WrongState with libvirt's words when such a definition does not exist.
Result<Impact> impact_of(const DomainRecord& record, unsigned flags);

/// The definition that a question is about. Both flags at once: InvalidArgument.
Result<const domain_xml::Domain*> definition_asked(const DomainRecord& record, unsigned flags);

}  // namespace virttdx::driver
